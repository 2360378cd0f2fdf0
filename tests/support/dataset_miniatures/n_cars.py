"""N-CARS: `n-cars_{train,test}/{cars,background}/obj_<number>_td.dat`, DAT without a size in the header."""

from __future__ import annotations

from pathlib import Path

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events
from tests.support.formats import dat


def write(root: Path, card: Card) -> dict[str, Written]:
    """Numbers begin anew in each folder; recordings are of different sizes."""
    written = {}
    for split, n in (("train", 3), ("test", 2)):
        for label, name in enumerate(card.classes):
            for k in range(n):
                events = some_events((60 + 20 * k, 100 - 10 * k), label, k, n)
                put(root / f"n-cars_{split}" / name / f"obj_{k:06d}_td.dat", dat.write(events, end=False))
                written[f"{split}/{name}/obj_{k:06d}_td"] = Written(split, name, events)
    return written
