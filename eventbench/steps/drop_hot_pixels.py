"""Drop hot pixels: drops all events of pixels that fire without a stimulus."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.events import Events
from eventbench.events.summary import hot_pixels
from eventbench.steps._compaction import empty_columns
from eventbench.steps._parts import check_number, select
from eventbench.steps.base import Step

MOST_IN_A_TABLE = 2**24  # pixels of a sensor of which each has a counter; beyond, events are sorted by pixel


@njit(cache=True, nogil=True)
def _count_events(x, y, width, counts):  # type: ignore[no-untyped-def]
    """Count the events of every pixel into `counts`, uint32 (pixels,), zeros at first."""
    for i in range(x.shape[0]):
        counts[np.uint32(y[i]) * np.uint32(width) + np.uint32(x[i])] += np.uint32(1)


@njit(cache=True, nogil=True)
def _copy_elsewhere(t, x, y, p, width, is_hot, out_t, out_x, out_y, out_p):  # type: ignore[no-untyped-def]
    """As `copy_kept`, for the events of pixels that are not in the table `is_hot`, bool (pixels,)."""
    count, i = 0, 0
    while count < out_t.shape[0]:
        out_t[count] = t[i]
        out_x[count] = x[i]
        out_y[count] = y[i]
        out_p[count] = p[i]
        count += not is_hot[np.uint32(y[i]) * np.uint32(width) + np.uint32(x[i])]
        i += 1


class DropHotPixels(Step, frozen=True, forbid_unknown_fields=True):
    """Drops the events of pixels that are hot by the rule of `eventbench doctor`, or that fire above a rate.

    `most_hz` None uses the doctor's rule (events.summary.hot_pixels: far more events than the sensor's other pixels and
    its neighbours). Otherwise a pixel is hot if it has more than `most_hz` events per second, from the first event of the
    recording to the last: the rule of tonic's DropPixel(hot_pixel_frequency).
    """

    version: ClassVar[int] = 1

    most_hz: float | None = None

    def __post_init__(self) -> None:
        if self.most_hz is not None:
            check_number("drop_hot_pixels", "most_hz", self.most_hz, 0, 1e9)

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events of all other pixels, in their order."""
        if not len(events):
            return events
        width, height = events.sensor
        if width * height > MOST_IN_A_TABLE:
            return self._by_sorting(events)
        counts, is_hot = (np.zeros(width * height, dtype) for dtype in (np.uint32, np.bool_))
        _count_events(events.x, events.y, width, counts)
        active = np.flatnonzero(counts != 0)
        hot = self._hot(active, counts[active], events)
        if not len(hot):
            return events
        is_hot[hot] = True
        columns = (events.t, events.x, events.y, events.p)
        out = empty_columns(columns, len(events) - int(counts[hot].sum()))
        _copy_elsewhere(*columns, width, is_hot, *out)
        return Events.trusted(*out, events.sensor)

    def _by_sorting(self, events: Events) -> Events:
        """The same for a sensor of any size: one bad event may make an unknown one 65536 x 65536."""
        address = events.y.astype(np.int64) * events.sensor[0] + events.x
        active, index, counts = np.unique(address, return_inverse=True, return_counts=True)
        hot = np.isin(active, self._hot(active, counts, events))
        return select(events, ~hot[index])

    def _hot(self, active: np.ndarray, counts: np.ndarray, events: Events) -> np.ndarray:
        """int64 (hot pixels,): those of the sorted addresses `active` that are hot; `counts`, both (pixels,), are their events."""
        if self.most_hz is None:
            width = events.sensor[0]
            found = [pixel.y * width + pixel.x for pixel in hot_pixels(active, counts, width)]
            return np.array(found, np.int64)
        return active[counts * 1e6 > self.most_hz * max(events.duration_us, 1)]
