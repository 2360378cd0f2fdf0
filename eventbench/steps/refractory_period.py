"""Refractory period: drops events too soon after another event of the same pixel."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.events import Events
from eventbench.steps._parts import check_whole, select
from eventbench.steps.base import Step


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
        width, height = events.sensor
        last = np.full(width * height, -self.period_us if self.tonic else np.iinfo(np.int64).min, np.int64)
        since_any = self.since_any or self.tonic
        return select(
            events, _late_enough(events.t, events.x, events.y, width, self.period_us, since_any, last)
        )
