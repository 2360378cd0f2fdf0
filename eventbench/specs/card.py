"""A card: which recordings a dataset is, in what format, how many, and how to obtain them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from eventbench import digest
from eventbench.specs.base import About, Spec


class SplitPins(Spec, frozen=True):
    """What tells the samples of a split from any others: pinned in a file, or `of` samples that were found.

    `per_class` counts by class; `ids` is sha256 over the sorted sample ids, a line each; `files` is sha256 over sorted
    lines `<id> <sha256 of the file>`. Each is left out where it is not known, or not to be demanded of a folder that grows.
    """

    samples: int | None = None
    per_class: list[int] = []
    ids: str = ""
    files: str = ""

    @staticmethod
    def of(
        ids: Iterable[str],
        labels: Iterable[int] = (),
        classes: int = 0,
        hashes: Mapping[str, str] | None = None,
    ) -> SplitPins:
        """The pins of samples: their ids, and where known their labels, 0 to `classes` - 1, and hashes by id."""
        names, counts = list(ids), Counter(labels)
        return SplitPins(
            samples=len(names),
            per_class=[counts[label] for label in range(classes)],
            ids=digest.of_lines(names),
            files=digest.of_lines(f"{id} {sha256}" for id, sha256 in hashes.items())
            if hashes is not None
            else "",
        )

    def disagreements(self, actual: SplitPins) -> list[str]:
        """The names of these pins that differ from those of samples that were found; left out by either, they agree."""
        return [
            pin
            for pin in self.__struct_fields__
            if (pinned := getattr(self, pin)) != (value := getattr(actual, pin, None))
            and ((pinned is not None and value is not None) if pin == "samples" else (pinned and value))
        ]

    @property
    def count(self) -> str:
        """The number of samples, as "1,176"; "any number of" where it is not pinned."""
        return "any number of" if self.samples is None else f"{self.samples:,}"


class Split(SplitPins, frozen=True):
    """What is pinned about one split; a folder that differs is refused.

    `numbered` is the form of the ids where they count from 1 ("train/{:05d}"), so that missing ones can be named.
    Digests may be absent where the publisher's data were never at hand.
    """

    numbered: str = ""

    @property
    def numbered_ids(self) -> set[str]:
        """The ids that `numbered` gives; none where it is absent."""
        return (
            {self.numbered.format(k) for k in range(1, (self.samples or 0) + 1)} if self.numbered else set()
        )


class Archive(Spec, frozen=True):
    """A file to fetch, with the hash its publisher or a known loader states (hex; "" where none does)."""

    name: str
    url: str = ""
    md5: str = ""
    sha256: str = ""


class Obtain(Spec, frozen=True):
    """How a user gets the raw files: a sentence, tonic's downloader by class name, and the files with their hashes.

    `folder` is where they lie below the data folder, for cards that share their recordings; else it is the card's id.
    """

    how: str
    tonic: str = ""
    folder: str = ""
    files: list[Archive] = []


class Card(Spec, frozen=True):
    """One dataset: `datasets/<id>.toml`.

    `source` names how bytes become events, `layout` where the recordings lie (absent when the source
    simulates them). Both are tables with a `name` and that member's own parameters.
    """

    sensor: tuple[int, int]
    classes: list[str]
    splits: dict[str, Split]
    source: dict[str, Any]
    obtain: Obtain
    layout: dict[str, Any] | None = None
    about: About = About()
