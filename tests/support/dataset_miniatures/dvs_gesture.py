"""DVS128 Gesture: recordings in AEDAT 3.1, a CSV file of classes and times each, two lists of recordings."""

from __future__ import annotations

from pathlib import Path

from eventbench.specs.card import Card
from tests.support.dataset_miniatures import Written, put, some_events
from tests.support.formats import aedat31

TRIALS = {
    "train": ["user01_fluorescent", "user02_fluorescent_led"],
    "test": ["user24_led"],
}


def write(root: Path, card: Card) -> dict[str, Written]:
    written = {}
    for split, trials in TRIALS.items():
        put(root / f"trials_to_{split}.txt", "".join(f"{trial}.aedat\n" for trial in trials).encode() + b"\n")
        for k, trial in enumerate(trials):
            number = 10 * (split == "test") + k
            events = some_events(card.sensor, number, n=400, start=80_000_000, step=5000)
            half = len(events) // 2
            packets = [aedat31.special(events[0][0]), aedat31.polarity(events[:half])]
            packets += [aedat31.imu6(events[half][0]), aedat31.polarity(events[half:], invalid=[3])]
            put(root / f"{trial}.aedat", aedat31.write(packets))
            del events[half + 3]
            # Every class once and one twice, as in the data set; each window reaches into the next one's by 2 us.
            classes = [*range(1, len(card.classes) + 1), 8]
            bounds = [events[10 + 30 * i][0] for i in range(len(classes) + 1)]
            lines = "class,startTime_usec,endTime_usec\n"
            for line, name in enumerate(classes, start=1):
                start, stop = bounds[line - 1], bounds[line] + 2
                lines += f"{name},{start},{stop}\n"
                inside = [event for event in events if start <= event[0] < stop]
                written[f"{trial}/{line:02d}"] = Written(split, card.classes[name - 1], inside, trial[:6])
            put(root / f"{trial}_labels.csv", lines.encode())
    return written
