"""`RawColumns`: the columns of a file before any check, for whoever wants to know all that is wrong with them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Size = tuple[int, int]


class RawColumns(NamedTuple):
    """The columns of a file as they stand: unsorted, unchecked, polarity as it was written. All of one length (events,).

    `unit` is that of t; `size` the sensor's (width, height) where the file states it. `overflow_markers` are words that
    only advance the clock, `wraps` how often the clock began anew (undone in t), `clock_us` the time it takes to,
    `other_words` the words or records that are no events of the camera.
    """

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray
    unit: str = "us"
    size: Size | None = None
    overflow_markers: int = 0
    wraps: int = 0
    clock_us: int = 0
    other_words: int = 0
