"""CIFAR10-DVS: a folder a class of `cifar10_<class>_<number>.aedat`, AEDAT 2 of a DVS128."""

from __future__ import annotations

import hashlib
from pathlib import Path

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events
from tests.support.formats import aedat2

NUMBERS = [0, 1, 5, 9, 10, 12, 91, 100, 910, 999]


def write(root: Path, card: Card, split: str = "") -> dict[str, Written]:
    """`split` is the card's: "first90", "tebn" or "stratified". Of ten recordings a class, one is of the test split."""
    written = {}
    for label, name in enumerate(card.classes):
        for number in NUMBERS:
            events = some_events(card.sensor, label, number)
            put(root / name / f"cifar10_{name}_{number}.aedat", aedat2.write(events, named=number % 2 == 0))
            called = f"{name}/cifar10_{name}_{number}"
            written[called] = Written("test" if number == _held(name, split) else "train", name, events)
    return written


def _held(name: str, split: str) -> int:
    if split == "first90":  # as text, 999 comes last
        return 999
    if split == "tebn":  # the first tenth by number
        return 0
    digests = {
        hashlib.sha256(f"0 {name}/cifar10_{name}_{number}".encode()).hexdigest(): number for number in NUMBERS
    }
    return digests[max(digests)]
