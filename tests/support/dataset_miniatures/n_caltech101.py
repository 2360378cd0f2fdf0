"""N-Caltech101: `Caltech101/<class>/image_<number>.bin` of 40-bit events."""

from __future__ import annotations

from pathlib import Path

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events
from tests.support.miniatures import atis_bytes


def write(root: Path, card: Card) -> dict[str, Written]:
    """Eleven recordings of the first and of the last class, of which one is of the test split, and two of each other.

    The background class is there whether or not the card has it.
    """
    written = {}
    for label, name in enumerate(card.classes):
        n = 11 if label in (0, len(card.classes) - 1) else 2
        for number in range(1, n + 1):
            events = some_events(card.sensor, label, number)
            put(root / "Caltech101" / name / f"image_{number:04d}.bin", atis_bytes(events))
            written[f"{name}/image_{number:04d}"] = Written("test" if number == 11 else "train", name, events)
    put(
        root / "Caltech101" / "BACKGROUND_Google" / "image_0001.bin",
        atis_bytes(some_events(card.sensor, 0, 1)),
    )
    return written
