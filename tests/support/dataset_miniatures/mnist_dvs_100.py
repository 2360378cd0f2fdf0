"""MNIST-DVS as text: `<digit>/m<digit><k>.txt` of rows y x t p, and a last row that is no event."""

from __future__ import annotations

import hashlib
from pathlib import Path

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events


def write(root: Path, card: Card) -> dict[str, Written]:
    """Five recordings a digit: in order of sha256 three of train, one of validation, one of test."""
    written = {}
    for label, name in enumerate(card.classes):
        ids = [f"{name}/m{name}{k}" for k in range(5)]
        ids.sort(key=lambda called: hashlib.sha256(f"0 {called}".encode()).hexdigest())
        for k, called in enumerate(ids):
            events = some_events(card.sensor, label, k)
            rows = [f"{y} {x} {t} {p}\n" for t, x, y, p in events]
            put(root / f"{called}.txt", "".join([*rows, "0 0 200010 0\n"]).encode())
            written[called] = Written(["train", "train", "train", "validation", "test"][k], name, events)
    return written
