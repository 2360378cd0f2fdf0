"""Refractory period: drops events too soon after another event of the same pixel."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.events import Events
from eventbench.steps._parts import check_whole, fits_uint32, select
from eventbench.steps.base import Step


@njit(cache=True, nogil=True)
def _late_enough_32(t, x, y, width, period, since_any, silent_until):  # type: ignore[no-untyped-def]
    """As `_late_enough`, in 32 bits and without a branch: times count from 1 at the first event; `silent_until`, uint32
    (pixels,), is the time up to which a pixel's events are dropped, 0 at first."""
    late_enough = np.empty(t.shape[0], np.bool_)
    width = np.uint32(width)
    for i in range(t.shape[0]):
        pixel = np.uint32(y[i]) * width + np.uint32(x[i])
        now = np.uint32(t[i] - t[0] + 1)
        until = silent_until[pixel]
        is_late = now > until
        late_enough[i] = is_late
        # `|` and not `or`, which would be a branch that no processor can foretell.
        silent_until[pixel] = now + period if is_late | since_any else until
    return late_enough


@njit(cache=True, nogil=True)
def _late_enough(t, x, y, width, period, since_any, last):  # type: ignore[no-untyped-def]
    """bool (events,): whether each event is more than `period` after the last counted one of its pixel, held in `last`."""
    late_enough = np.empty(t.shape[0], np.bool_)
    never = np.int64(-(2**63))
    for i in range(t.shape[0]):
        pixel = np.int64(y[i]) * width + np.int64(x[i])
        previous = last[pixel]
        is_late = previous == never or (
            t[i] > previous and np.uint64(t[i]) - np.uint64(previous) > np.uint64(period)
        )
        late_enough[i] = is_late
        if is_late or since_any:
            last[pixel] = t[i]
    return late_enough


class RefractoryPeriod(Step, frozen=True, forbid_unknown_fields=True):
    """Keeps an event if more than `period_us` passed since the last kept event of its pixel; the first one is kept.

    With `since_any`, dropped events count too, so that a pixel that fires all the time is silent after its first event.
    tonic's RefractoryPeriod does that, and also drops a first event at time 0 or earlier: `tonic` does the same.
    """

    version: ClassVar[int] = 1

    period_us: int
    since_any: bool = False
    tonic: bool = False

    def __post_init__(self) -> None:
        check_whole("refractory_period", "period_us", self.period_us, 1, 2**61)

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The remaining events, in their order."""
        if not len(events):
            return events
        width, height = events.sensor
        since_any = self.since_any or self.tonic
        columns = (events.t, events.x, events.y, width)
        # For tonic, a pixel is silent up to time 0, which counts as 1 - t[0].
        silent_at_first = max(0, 1 - int(events.t[0])) if self.tonic else 0
        if fits_uint32(max(events.duration_us + 1, silent_at_first) + self.period_us):
            silent_until = np.full(width * height, silent_at_first, np.uint32)
            return select(
                events, _late_enough_32(*columns, np.uint32(self.period_us), since_any, silent_until)
            )
        last = np.full(width * height, -self.period_us if self.tonic else np.iinfo(np.int64).min, np.int64)
        return select(events, _late_enough(*columns, self.period_us, since_any, last))
