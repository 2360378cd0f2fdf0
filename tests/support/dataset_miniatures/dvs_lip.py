"""DVS-Lip: `{train,test}/<word>/<number>.npy`, structured arrays of t (int32), x, y and p (int8)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events
from tests.support.miniatures import npy_bytes, structured

KINDS = {"t": "<i4", "x": "i1", "y": "i1", "p": "i1"}


def write(root: Path, card: Card) -> dict[str, Written]:
    written = {}
    for split, n in (("train", 2), ("test", 1)):
        for label, name in enumerate(card.classes):
            for k in range(n):
                events = some_events(card.sensor, label, k, n)
                columns = dict(zip("txyp", np.array(events).T, strict=True))
                put(root / split / name / f"{k}.npy", npy_bytes(structured(columns, "txyp", KINDS)))
                written[f"{split}/{name}/{k}"] = Written(split, name, events)
    return written
