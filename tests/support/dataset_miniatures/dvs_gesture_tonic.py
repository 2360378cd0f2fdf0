"""tonic's DVS128 Gesture: a folder a recording, `<class number>.npy` of rows x, y, p, t in milliseconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events
from tests.support.miniatures import npy_bytes

TRIALS = {
    "ibmGestureTrain": ("train", ["user01_fluorescent", "user01_fluorescent_led", "user10_lab"]),
    "ibmGestureTest": ("test", ["user24_natural"]),
}


def write(root: Path, card: Card) -> dict[str, Written]:
    written = {}
    for folder, (split, trials) in TRIALS.items():
        for k, trial in enumerate(trials):
            for number, label in enumerate(card.classes):
                if (split, trial, number) == ("train", "user10_lab", 3):
                    continue  # as in the data set, one is absent
                events = some_events(card.sensor, k, number, len(split))
                rows = [[x, y, p, t] for t, x, y, p in events]
                put(root / folder / trial / f"{number}.npy", npy_bytes(np.array(rows, np.float64)))
                in_us = [(1000 * t, x, y, p) for t, x, y, p in events]
                written[f"{split}/{trial}/{number}"] = Written(split, label, in_us, trial[:6])
    return written
