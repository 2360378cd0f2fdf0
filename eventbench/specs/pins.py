"""Pins of a dataset made on this machine, at first sight: `<data folder>/<card>.pins.toml`.

For data whose ids and hashes no card can pin, since their publisher lists none. Without date, machine or path: pins of
the same recordings are the same everywhere, and may be compared.
"""

from __future__ import annotations

import json
from pathlib import Path

from eventbench.specs.base import Spec, load
from eventbench.specs.card import SplitPins

_HEAD = "# Pinned here, at first sight, by eventbench verify datasets --write; not by the publisher.\n"
_KEYS = ("samples", "per_class", "ids", "labels", "files")


class PinnedSplit(SplitPins, frozen=True):
    """The pins of a split on this machine, none left out.

    `labels` is sha256 over sorted lines `<id> <class number> <place in its file>`.
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
    """Where the pins of a card are, below the data folder."""
    return data / f"{card}.pins.toml"


def read_pins(path: Path) -> Pins | None:
    """What was pinned; None where nothing was. Raises BadSpec where the file does not say what it must."""
    return load(path, Pins) if path.is_file() else None


def write_pins(path: Path, pins: Pins) -> None:
    """Written whole or not at all. Raises OSError where it cannot be."""
    text = _HEAD
    for split, pin in sorted(pins.splits.items()):
        text += f"\n[splits.{json.dumps(split)}]\n"
        text += "".join(f"{key} = {json.dumps(getattr(pin, key))}\n" for key in _KEYS)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
