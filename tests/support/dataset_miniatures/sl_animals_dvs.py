"""SL-Animals-DVS: long recordings in AEDAT 2, a CSV file each of classes and of events counted from 0."""

from __future__ import annotations

from pathlib import Path

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events
from tests.support.formats import aedat2

SETS = ("indoor", "sunlight", "imse", "dc")


def write(root: Path, card: Card) -> dict[str, Written]:
    """The people the card chooses for the test split, and two others."""
    assert card.layout is not None
    chosen = card.layout["chosen"]["test"]
    written = {}
    for k, stem in enumerate([*chosen, "user01_imse", "user58_sunlight"]):
        events = some_events(card.sensor, k, n=15 * len(card.classes) + 20)
        put(root / "allusers_aedat" / f"{stem}.aedat", aedat2.write(events))
        lines = "class,startTime_ev,endTime_ev\n"
        for line, name in enumerate(card.classes, start=1):
            start = 15 * (line - 1) + 4
            lines += f"{line},{start},{start + 13}\n"
            split = "test" if stem in chosen else "train"
            subject = stem.partition("_")[0]
            written[f"{stem}/{line:02d}"] = Written(split, name, events[start : start + 13], subject)
        put(root / "tags_updated_19_08_2020" / f"{stem}.csv", lines.encode())
    definitions = "".join(f"{k},{name}\n" for k, name in enumerate(card.classes, start=1))
    put(root / "tags_updated_19_08_2020" / "SL-Animals-DVS_gestures_definitions.csv", definitions.encode())
    return written
