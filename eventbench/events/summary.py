"""Summary: a recording in a few numbers (counts, time span, gaps, repeats, hot pixels)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from eventbench.events.events import Events

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


def summarize(events: Events) -> Summary:
    """Summarize a recording."""
    n = len(events)
    cells = events.y.astype(np.int64) * events.sensor[0] + events.x
    # No histogram over the sensor: if its size is unknown, a single bad event may make it 65536 x 65536.
    active, counts = np.unique(cells, return_counts=True)
    return Summary(
        sensor=events.sensor,
        events=n,
        on=int(np.count_nonzero(events.p)),
        first_us=int(events.t[0]) if n else None,
        last_us=int(events.t[-1]) if n else None,
        longest_gap_us=int(np.diff(events.t.view(np.uint64)).max()) if n > 1 else 0,
        active_pixels=len(active),
        repeated=_count_repeated(events, cells),
        hot_pixels=hot_pixels(active, counts, events.sensor[0]),
        extent=(_extent(events.x), _extent(events.y)),
    )


def _extent(column: np.ndarray) -> int:
    """The value that at most one in a thousand exceeds, by counting, which is faster than sorting."""
    if not len(column):
        return 0
    at_most = np.cumsum(np.bincount(column))
    return int(np.searchsorted(at_most, 0.999 * len(column)))


def _count_repeated(events: Events, cells: np.ndarray) -> int:
    """The number of events that equal an earlier one in time, pixel and polarity."""
    if len(events) < 2:
        return 0
    order = np.lexsort((events.p, cells, events.t))
    is_repeated = np.ones(len(events) - 1, np.bool_)
    for column in (events.t, cells, events.p):
        column = column[order]
        is_repeated &= column[1:] == column[:-1]
    return int(is_repeated.sum())


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
