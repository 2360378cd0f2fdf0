"""ASL-DVS: a folder a letter of MATLAB files with columns ts, x, y and pol."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from scipy.io import savemat

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events


def write(root: Path, card: Card) -> dict[str, Written]:
    """Five recordings a letter, of which one is of the test split: the one whose sha256 comes last."""
    written = {}
    for label, name in enumerate(card.classes):
        ids = [f"{name}/{name}_{k:04d}" for k in range(1, 6)]
        held = max(ids, key=lambda called: hashlib.sha256(f"0 {called}".encode()).hexdigest())
        for k, called in enumerate(ids):
            events = some_events(card.sensor, label, k)
            columns = np.array(events, np.int64).T[:, :, None]
            file = io.BytesIO()
            savemat(file, dict(zip(("ts", "x", "y", "pol"), columns.astype(np.int32), strict=True)))
            put(root / f"{called}.mat", file.getvalue())
            written[called] = Written("test" if called == held else "train", name, events)
    return written
