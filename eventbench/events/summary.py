"""What the events of a recording say about it, in figures."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from eventbench.events.events import Events

HOT_EVENTS = 50
HOT_RATIO = 10
HOT_SHARE = 0.01
SHORT_US = 1_000
LONG_US = 3_600_000_000


class HotPixel(NamedTuple):
    """A pixel that fires by itself: where it is and how many events it has."""

    x: int
    y: int
    events: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording's events say. Times are in microseconds; `longest_gap_us` is the longest between two events.

    `usual` are the x and the y that 99.9 % of events do not exceed.
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
    usual: tuple[int, int]

    @property
    def duration_us(self) -> int:
        return self.last_us - self.first_us if self.first_us is not None and self.last_us is not None else 0


def summarize(events: Events) -> Summary:
    """The figures of a recording; order, range and polarity are sound in every Events."""
    n = len(events)
    cells = events.y.astype(np.int64) * events.sensor[0] + events.x
    # No histogram of the sensor: a file without a stated size may name a pixel at (65535, 65535).
    active, counts = np.unique(cells, return_counts=True)
    return Summary(
        sensor=events.sensor,
        events=n,
        on=int(np.count_nonzero(events.p)),
        first_us=int(events.t[0]) if n else None,
        last_us=int(events.t[-1]) if n else None,
        longest_gap_us=int(np.diff(events.t.view(np.uint64)).max()) if n > 1 else 0,
        active_pixels=len(active),
        repeated=_repeated(events, cells),
        hot_pixels=hot_pixels(active, counts, events.sensor[0]),
        usual=(_usual(events.x), _usual(events.y)),
    )


def _usual(column: np.ndarray) -> int:
    """The value that one in a thousand exceeds, by counting: quicker than sorting."""
    if not len(column):
        return 0
    below = np.cumsum(np.bincount(column))
    return int(np.searchsorted(below, 0.999 * len(column)))


def _repeated(events: Events, cells: np.ndarray) -> int:
    """How many events are the same as another one in time, place and polarity, less the first of each."""
    if len(events) < 2:
        return 0
    order = np.lexsort((events.p, cells, events.t))
    same = np.ones(len(events) - 1, np.bool_)
    for column in (events.t, cells, events.p):
        column = column[order]
        same &= column[1:] == column[:-1]
    return int(same.sum())


def hot_pixels(active: np.ndarray, counts: np.ndarray, width: int) -> list[HotPixel]:
    """Pixels that fire by themselves, the busiest first.

    active (pixels,) are the sorted addresses y * width + x of pixels with events, counts (pixels,) their events.

    A pixel is hot when it has at least 50 events, at least 10 times the 95th percentile of all active pixels, and at
    least 10 times the second-busiest of its eight neighbours: what moves before the camera excites neighbours
    alike, a defect does not (one neighbour may be as hot). The factor is ours: in recordings of five sensors without
    such a defect the busiest pixel reaches 9.7 times the percentile; in one with it, 95 times.
    """
    if not len(active):
        return []
    usual = np.quantile(counts, 0.95, method="lower")
    found = []
    for i in np.flatnonzero(counts >= max(HOT_EVENTS, HOT_RATIO * int(usual))):
        y, x = divmod(int(active[i]), width)
        beside = [(x + dx, y + dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy]
        near = sorted(
            _count_at(active, counts, v * width + u) for u, v in beside if 0 <= u < width and v >= 0
        )
        if counts[i] >= HOT_RATIO * (near[-2] if len(near) > 1 else 0):
            found.append(HotPixel(x, y, int(counts[i])))
    return sorted(found, key=lambda pixel: (-pixel.events, pixel.y, pixel.x))


def _count_at(active: np.ndarray, counts: np.ndarray, address: int) -> int:
    place = int(np.searchsorted(active, address))
    return int(counts[place]) if place < len(active) and active[place] == address else 0
