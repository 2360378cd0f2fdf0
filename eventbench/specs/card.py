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


class Obtain(Spec, frozen=True):
    """How a user gets the raw files: tonic's downloader by class name, and a sentence."""

    how: str
    tonic: str = ""


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
