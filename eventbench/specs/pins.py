"""Pins of a dataset, written on this machine when its recordings are first seen: `<data folder>/<card>.pins.toml`.

For data whose ids and hashes no card can pin, since the publisher lists none. The file has no date, machine or path, so
that pins of the same recordings are the same everywhere and can be compared.
"""

from __future__ import annotations

import json
from pathlib import Path

from eventbench.specs.base import Spec, load
from eventbench.specs.card import SplitPins

_HEAD = "# Pinned here, at first sight, by eventbench verify datasets --write; not by the publisher.\n"
_KEYS = ("samples", "per_class", "ids", "labels", "files")


class PinnedSplit(SplitPins, frozen=True):
    """The pins of a split on this machine, all of them present.

    `labels` is sha256 over sorted lines `<id> <class number> <position in its file>`.
    """

    samples: int
    per_class: list[int]
    ids: str
    labels: str
    files: str


class Pins(Spec, frozen=True):
    """The pins of one card, by split."""

    splits: dict[str, PinnedSplit]


def pins_path(data: Path, card: str) -> Path:
    """The path of the pins of a card, in the data folder."""
    return data / f"{card}.pins.toml"


def read_pins(path: Path) -> Pins | None:
    """The pins in a file; None if there is no file. Raises BadSpec if it is not a valid file of pins."""
    return load(path, Pins) if path.is_file() else None


def write_pins(path: Path, pins: Pins) -> None:
    """Write pins, completely or not at all. Raises OSError if that fails."""
    text = _HEAD
    for split, pin in sorted(pins.splits.items()):
        text += f"\n[splits.{json.dumps(split)}]\n"
        text += "".join(f"{key} = {json.dumps(getattr(pin, key))}\n" for key in _KEYS)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
