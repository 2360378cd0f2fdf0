"""DailyAction-DVS: a folder an action of AEDAT 2 recordings of a DVS128, some of them copies named (1)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events
from tests.support.formats import aedat2


def write(root: Path, card: Card) -> dict[str, Written]:
    """Five recordings an action, of which one is of the test split, and a copy of one."""
    written = {}
    for label, name in enumerate(card.classes):
        ids = [f"{name}/{person}_{name}_1" for person in ("cc", "gh", "hk", "sy", "zh")]
        held = max(ids, key=lambda called: hashlib.sha256(f"0 {called}".encode()).hexdigest())
        for k, called in enumerate(ids):
            events = some_events(card.sensor, label, k)
            put(root / f"{called}.aedat", aedat2.write(events))
            written[called] = Written("test" if called == held else "train", name, events)
        put(root / f"{ids[0]}(1).aedat", aedat2.write(some_events(card.sensor, label, 0)))
    return written
