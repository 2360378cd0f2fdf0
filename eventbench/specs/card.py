"""A card: which recordings a dataset is, in what format, how many, and how to obtain them."""

from __future__ import annotations

from typing import Any

from eventbench.specs.base import About, Spec


class Split(Spec, frozen=True):
    """What is pinned about one split; a folder that differs is refused.

    `numbered` is the form of the ids where they count from 1 ("train/{:05d}"), so that missing ones can be named.
    `ids` is sha256 over the sorted sample ids, a line each; `files` is sha256 over sorted lines
    `<id> <sha256 of the file>`. Each may be absent where the publisher's data were never at hand.
    """

    samples: int
    per_class: list[int] = []
    numbered: str = ""
    ids: str = ""
    files: str = ""


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
