"""POKER-DVS as recorded: `<suit>_<number>.aedat` in one folder, and groups.csv, which says what belongs together."""

from __future__ import annotations

import hashlib
from pathlib import Path

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events
from tests.support.formats import aedat2


def write(root: Path, card: Card, first: str = "1") -> dict[str, Written]:
    """Ten pips a suit in five groups of two: in order of sha256, from `first` on, test, validation and three of train."""
    written, lines = {}, ["file,class,events,group"]
    for label, name in enumerate(card.classes):
        groups = [str(10 * label + k) for k in range(5)]
        groups.sort(key=lambda group: hashlib.sha256(f"0 {group}".encode()).hexdigest())
        for place, group in enumerate(groups):
            split = ["test", "validation", "train", "train", "train"][(place - int(first) + 1) % 5]
            for k in range(2):
                called = f"{name}_{group}{k}"
                events = some_events(card.sensor, label, place, k)
                put(root / f"{called}.aedat", aedat2.write(events, named=False))
                lines.append(f"{called},{name},{len(events)},{group}")
                written[called] = Written(split, name, events, group)
    put(root / "groups.csv", "\n".join(lines).encode())
    return written
