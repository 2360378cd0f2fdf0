"""Text and CSV: an event a line."""

from __future__ import annotations

from pathlib import Path

from tests.support.formats.shared import EVENTS, lines


def seeds() -> list[bytes]:
    """Without names, with names, with a first line of width and height."""
    return [
        b"".join(b"%d %d %d %d\n" % event for event in EVENTS),
        b"t,x,y,p\n" + b"".join(b"%d,%d,%d,%d\n" % event for event in EVENTS),
        b"100 90\n" + b"".join(b"%d.5e-3 %d %d %d\n" % event for event in EVENTS),
    ]


def heads(recordings: Path) -> list[bytes]:
    names = ("nmnist_train00001_events.csv", "seventeen_events.txt")
    return [lines(recordings / name, 4_000) for name in names]
