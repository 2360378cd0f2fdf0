"""Summary: a recording in a few numbers (counts, time span, gaps, repeats, hot pixels)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

HOT_EVENTS = 50  # fewer events do not make a pixel hot
HOT_RATIO = 10  # how many times as many events a hot pixel has as other pixels
HOT_SHARE = (
    0.01  # the doctor reports a larger share of events in hot pixels as a problem, a smaller one as a warning
)
SHORT_US = 1_000  # for shorter or longer recordings, the doctor doubts the time unit
LONG_US = 3_600_000_000


class HotPixel(NamedTuple):
    """A pixel that fires without a stimulus: its position and its number of events."""

    x: int
    y: int
    events: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A recording in a few numbers; times in microseconds.

    `longest_gap_us` is the longest time without an event, `active_pixels` the number of pixels with events, `repeated` that
    of events equal to an earlier one in t, x, y and p. `extent` is the (x, y) that 99.9 % of events do not exceed, each.
    """

    sensor: tuple[int, int]
    events: int
    on: int
    first_us: int | None
    last_us: int | None
    longest_gap_us: int
    active_pixels: int
    repeated: int
    hot_pixels: list[HotPixel]
    extent: tuple[int, int]

    @property
    def duration_us(self) -> int:
        """Time from the first event to the last; 0 if there are fewer than two."""
        return self.last_us - self.first_us if self.first_us is not None and self.last_us is not None else 0


def hot_pixels(active: np.ndarray, counts: np.ndarray, width: int) -> list[HotPixel]:
    """Pixels that fire without a stimulus, the busiest first.

    active (pixels,) are the sorted addresses y * width + x of pixels with events, counts (pixels,) their events.

    A pixel is hot when it has at least 50 events, at least 10 times the 95th percentile of all active pixels, and at
    least 10 times the second-busiest of its eight neighbours: motion causes events in neighbouring pixels too, a defect
    does not (but one neighbour may be hot as well). The factor 10 is our own choice: in recordings of five sensors without
    such a defect the busiest pixel reaches 9.7 times the percentile; in one with a defect, 95 times.
    """
    if not len(active):
        return []
    percentile = np.quantile(counts, 0.95, method="lower")
    hot = []
    for i in np.flatnonzero(counts >= max(HOT_EVENTS, HOT_RATIO * int(percentile))):
        y, x = divmod(int(active[i]), width)
        neighbours = [(x + dx, y + dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy]
        neighbour_counts = sorted(
            _count_at(active, counts, v * width + u) for u, v in neighbours if 0 <= u < width and v >= 0
        )
        if counts[i] >= HOT_RATIO * (neighbour_counts[-2] if len(neighbour_counts) > 1 else 0):
            hot.append(HotPixel(x, y, int(counts[i])))
    return sorted(hot, key=lambda pixel: (-pixel.events, pixel.y, pixel.x))


def _count_at(active: np.ndarray, counts: np.ndarray, address: int) -> int:
    """The events of the pixel with this address; 0 if it is not active."""
    index = int(np.searchsorted(active, address))
    return int(counts[index]) if index < len(active) and active[index] == address else 0
