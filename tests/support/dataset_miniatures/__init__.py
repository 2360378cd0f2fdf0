"""Data sets of a few recordings in the exact layout and format they have on disk, one family a file.

Each `write(root, card)` writes below `root` and tells, by sample id, what must come out. Written from the formats' and the data
sets' descriptions by none of the package's code; classes are the card's, all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

Event = tuple[int, int, int, int]  # t, x, y, p


class Written(NamedTuple):
    """One sample as it must be read: its split, its class's name, its events, and who is in it."""

    split: str
    label: str
    events: list[Event]
    subject: str = ""


def some_events(
    sensor: Sequence[int], *seed: int, n: int = 12, start: int = 0, step: int = 900
) -> list[Event]:
    """`n` events in order of time; the corners of the sensor are among them."""
    rng = np.random.default_rng(seed)
    t = start + np.cumsum(rng.integers(0, step, n))
    x, y = rng.integers(0, sensor[0], n), rng.integers(0, sensor[1], n)
    x[:2], y[:2] = (0, sensor[0] - 1), (sensor[1] - 1, 0)
    p = rng.integers(0, 2, n)
    return [(int(a), int(b), int(c), int(d)) for a, b, c, d in zip(t, x, y, p, strict=True)]


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
