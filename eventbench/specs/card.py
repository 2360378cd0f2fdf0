"""`Card`: the recordings of a dataset, their format and number, and how to obtain them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from eventbench import digest
from eventbench.specs.base import About, Spec


class SplitPins(Spec, frozen=True):
    """Numbers and digests that identify the samples of a split: pinned in a file, or computed from samples by `of`.

    `per_class` counts by class; `ids` is sha256 over the sorted sample ids, one per line; `files` is sha256 over sorted
    lines `<id> <sha256 of the file>`. Each is left out if it is unknown, or if the folder may grow and must not be held to it.
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
        """The pins of samples: of their ids and, if known, their labels (0 to `classes` - 1) and their file hashes by id."""
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
        """The names of the pins that differ from `actual`; a pin that either leaves out does not differ."""
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
    """The pins of one split; a folder that differs is refused.

    `numbered` is the format of ids that count from 1 ("train/{:05d}"), so that missing ones can be named. Digests may be
    absent if the published data were never available to us.
    """

    numbered: str = ""

    @property
    def numbered_ids(self) -> set[str]:
        """The ids in the format `numbered`; empty without one."""
        return (
            {self.numbered.format(k) for k in range(1, (self.samples or 0) + 1)} if self.numbered else set()
        )


class Archive(Spec, frozen=True):
    """A file to download, with the hash (hex) that its publisher or a known loader states; "" if none does."""

    name: str
    url: str = ""
    md5: str = ""
    sha256: str = ""


class Obtain(Spec, frozen=True):
    """How to get the raw files: a sentence, the class of tonic that knows its address too, and the files with their hashes.

    `folder` is their folder below the data folder, for cards that share recordings; by default the card's id.
    """

    how: str
    tonic: str = ""
    folder: str = ""
    files: list[Archive] = []


class Card(Spec, frozen=True):
    """One dataset: `datasets/<id>.toml`.

    `source` names the reader that turns bytes into events, `layout` how the folder is organised (absent if the source
    simulates the recordings). Both are tables with a `name` and the parameters of that member.
    """

    sensor: tuple[int, int]
    classes: list[str]
    splits: dict[str, Split]
    source: dict[str, Any]
    obtain: Obtain
    layout: dict[str, Any] | None = None
    about: About = About()

    @property
    def pins_samples(self) -> bool:
        """Whether the number or the identity of the samples of a split is pinned."""
        return any(
            pin.samples is not None or pin.per_class or pin.ids or pin.files for pin in self.splits.values()
        )

    @property
    def pins_content(self) -> bool:
        """Whether the card says which recordings these are, to the byte: they are simulated, or it pins every id and file."""
        return self.layout is None or all(split.ids and split.files for split in self.splits.values())
