"""`Measure`: the summary of a recording, taken piece after piece, in memory that does not grow with its length."""

from __future__ import annotations

import numpy as np

from eventbench.events._measure_kernels import follow_time, tally_pixels
from eventbench.events.events import Events
from eventbench.events.summary import Summary, hot_pixels

MOST_PIXELS = (
    1 << 22
)  # of a table of every pixel: 64 MB. A larger sensor may be one bad event of a sensor of unknown size
PIXELS_PER_EVENT = 32  # with more pixels, a table of all of them takes longer to make than to sort the events


class Measure:
    """Figures of the pieces of one recording, which come in order of time; cut anywhere, they come to the same.

    Attributes
    ----------
    events, on : the number of events, and of those that are ON
    moments : the number of different times
    tick_us : the largest number of microseconds that all times are multiples of, from the first on; 0 where all are one
    """

    def __init__(self, sensor: tuple[int, int], events: int) -> None:
        """`sensor` is (width, height); `events` about how many will come, which decides only how pixels are counted."""
        self.sensor = sensor
        self.events = self.on = self.moments = 0
        self._first = self._last = self._longest = self._tick = 0
        cells = sensor[0] * sensor[1]
        has_table = cells <= min(MOST_PIXELS, PIXELS_PER_EVENT * events)
        self._pixels: _Table | _Sorted = _Table(*sensor) if has_table else _Sorted(sensor[0])

    def update(self, events: Events) -> None:
        """Take in the events that come next."""
        if not len(events):
            return
        if not self.events:
            self._first = self._last = int(events.t[0])
            self.moments = 1
        self.on += self._pixels.update(events, self._last)
        # Numba gives uint64 back as Python ints, which it would take for int64.
        longest, tick, self.moments = follow_time(
            events.t, self._last, np.uint64(self._longest), np.uint64(self._tick), self.moments
        )
        self._longest, self._tick = int(longest), int(tick)
        self.events += len(events)
        self._last = int(events.t[-1])

    @property
    def tick_us(self) -> int:
        """See the class."""
        return self._tick

    def summary(self) -> Summary:
        """The figures of all events so far."""
        width = self.sensor[0]
        active, counts = self._pixels.counted()
        return Summary(
            sensor=self.sensor,
            events=self.events,
            on=self.on,
            first_us=self._first if self.events else None,
            last_us=self._last if self.events else None,
            longest_gap_us=self._longest,
            active_pixels=len(active),
            repeated=self._pixels.repeated,
            hot_pixels=hot_pixels(active, counts, width),
            extent=(_extent(active % width, counts), _extent(active // width, counts)),
        )


def summarize(events: Events) -> Summary:
    """The summary of a recording in memory."""
    measure = Measure(events.sensor, len(events))
    measure.update(events)
    return measure.summary()


class _Table:
    """Counts in a table of every pixel."""

    def __init__(self, width: int, height: int) -> None:
        self._table = np.zeros((width * height, 2), np.int64)
        self._width, self._moment, self.repeated = width, 4, 0

    def update(self, events: Events, last: int) -> int:
        """Count a piece that goes on from the time `last`; the number of its ON events."""
        columns = (events.t, events.x, events.y, events.p)
        self._moment, on, repeated = tally_pixels(*columns, self._width, last, self._moment, self._table)
        self.repeated += repeated
        return int(on)

    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """The sorted addresses, y * width + x, of pixels with events, and their events; int64 (pixels,) both."""
        active = np.flatnonzero(self._table[:, 0])
        return active, self._table[active, 0]


class _Sorted:
    """Counts by sorting: for few events, and for sensors too large for a table."""

    def __init__(self, width: int) -> None:
        self._width, self.repeated = width, 0
        self._active, self._counts = np.empty(0, np.int64), np.empty(0, np.int64)
        self._tail = (
            np.empty(0, np.int64),
            np.empty(0, np.int64),
        )  # t, and pixel and polarity, of the last time

    def update(self, events: Events, last: int) -> int:  # noqa: ARG002  # the tail knows it
        """As `_Table.update`."""
        cells = events.y.astype(np.int64) * self._width + events.x
        together = np.concatenate([self._active, cells])
        weights = np.concatenate([self._counts, np.ones(len(cells), np.int64)])
        self._active, inverse = np.unique(together, return_inverse=True)
        self._counts = np.bincount(inverse, weights, len(self._active)).astype(np.int64)
        self._count_repeated(events.t, cells * 2 + events.p)
        return int(np.count_nonzero(events.p))

    def _count_repeated(self, t: np.ndarray, what: np.ndarray) -> None:
        """Count events that equal an earlier one; those of the last time are kept, each once, for the next piece."""
        t, what = np.concatenate([self._tail[0], t]), np.concatenate([self._tail[1], what])
        order = np.lexsort((what, t))
        t, what = t[order], what[order]
        is_new = np.ones(len(t), np.bool_)
        is_new[1:] = (t[1:] != t[:-1]) | (what[1:] != what[:-1])
        self.repeated += int(len(t) - is_new.sum())
        kept = is_new & (t == t[-1])
        self._tail = t[kept], what[kept]

    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """As `_Table.counted`."""
        return self._active, self._counts


def _extent(position: np.ndarray, counts: np.ndarray) -> int:
    """The position that at most one in a thousand events exceeds, of pixels at `position` (pixels,) with `counts` events."""
    if not len(position):
        return 0
    at_most = np.cumsum(np.bincount(position, counts))
    return int(np.searchsorted(at_most, 0.999 * at_most[-1]))
