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
    busy = np.flatnonzero(counts >= max(HOT_EVENTS, HOT_RATIO * int(percentile)))
    around = _second_busiest_neighbour(active, counts, active[busy], width)
    hot = busy[counts[busy] >= HOT_RATIO * around]
    pixels = [HotPixel(int(active[i] % width), int(active[i] // width), int(counts[i])) for i in hot]
    return sorted(pixels, key=lambda pixel: (-pixel.events, pixel.y, pixel.x))


def _second_busiest_neighbour(
    active: np.ndarray, counts: np.ndarray, addresses: np.ndarray, width: int
) -> np.ndarray:
    """int64 (addresses,): the events of the second-busiest of the up to eight neighbours of the pixels at `addresses`."""
    dx, dy = np.array([(dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy]).T
    neighbours = addresses[:, None] + dy * width + dx
    column = addresses[:, None] % width + dx
    index = np.minimum(np.searchsorted(active, neighbours), len(active) - 1)
    is_active = (active[index] == neighbours) & (column >= 0) & (column < width)
    return np.sort(np.where(is_active, counts[index], 0).astype(np.int64), axis=1)[:, -2]
