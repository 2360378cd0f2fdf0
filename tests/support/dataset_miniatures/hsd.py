"""SHD and SSC: an HDF5 file a split with spikes/times (seconds, float16), spikes/units, labels, extra/keys and extra/speaker."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, some_events


def write(root: Path, card: Card) -> dict[str, Written]:
    """Two rows of each class in the first file, one in the others. Files of SSC have their words in an order of their own."""
    assert card.layout is not None
    own = [*card.classes[5:], *card.classes[:5]] if "keys" in card.layout else card.classes
    written = {}
    root.mkdir(parents=True, exist_ok=True)
    for number, (split, name) in enumerate(card.layout["files"].items()):
        labels = [label for label in range(len(own)) for _ in range(1 if number else 2)][::-1]
        speakers = [(3 * row) % 12 for row in range(len(labels))]
        with h5py.File(root / name, "w") as file:
            file["labels"] = np.array(labels, np.uint16)
            file["extra/keys"] = np.array([word.encode() for word in own], "S20")
            file["extra/speaker"] = np.array(speakers, np.uint16)
            shape = (len(labels),)
            times = file.create_dataset("spikes/times", shape, dtype=h5py.vlen_dtype(np.dtype("float16")))
            units = file.create_dataset("spikes/units", shape, dtype=h5py.vlen_dtype(np.dtype("uint16")))
            for row, (label, speaker) in enumerate(zip(labels, speakers, strict=True)):
                spikes = some_events((card.sensor[0], 1), number, row, step=90_000)
                seconds = np.array([t for t, *_ in spikes]) / 1e6
                times[row] = seconds.astype(np.float16)
                units[row] = np.array([x for _, x, *_ in spikes], np.uint16)
                stored = np.rint(seconds.astype(np.float16).astype(np.float64) * 1e6).astype(int).tolist()
                events = [(t, x, 0, 1) for t, (_, x, *_) in zip(stored, spikes, strict=True)]
                called = f"{split}/{row + 1:05d}"
                written[called] = Written(split, own[label], events, f"{speaker:02d}")
    return written
