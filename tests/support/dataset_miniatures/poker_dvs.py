"""tonic's POKER-DVS: `pips_{train,test}/{cl,he,di,sp}/<number>.npy` of rows t, x, y, p."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events
from tests.support.miniatures import npy_bytes


def write(root: Path, card: Card) -> dict[str, Written]:
    written = {}
    for split, n in (("train", 3), ("test", 1)):
        for label, name in enumerate(card.classes):
            for k in range(n):
                events = some_events(card.sensor, label, k, n)
                put(root / f"pips_{split}" / name / f"{k}.npy", npy_bytes(np.array(events, np.int64)))
                written[f"{split}/{name}/{k}"] = Written(split, name, events)
    return written
