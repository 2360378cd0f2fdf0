"""Denoise: drops background activity, events without a recent event of a neighbouring pixel."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.steps._parts import check_whole, fits_uint32, select
from eventbench.steps.base import Step

NEVER = np.int64(-(2**63))


@njit(cache=True, nogil=True)
def _supported_32(t, x, y, width, within, corners, last):  # type: ignore[no-untyped-def]
    """As `_supported`, in 32 bits and without a branch: times count from `within` + 1 at the first event, so that a pixel
    without events, whose last time is 0, lies too far back to support any."""
    supported = np.empty(t.shape[0], np.bool_)
    one, width = np.uint32(1), np.uint32(width)
    start = t[0] - np.int64(within) - 1
    for i in range(t.shape[0]):
        pixel = (np.uint32(y[i]) + one) * width + np.uint32(x[i]) + one
        now = np.uint32(t[i] - start)
        last[pixel] = now
        above, below = pixel - width, pixel + width
        latest = max(max(last[pixel - one], last[pixel + one]), max(last[above], last[below]))
        if corners:
            latest = max(
                latest,
                max(max(last[above - one], last[above + one]), max(last[below - one], last[below + one])),
            )
        supported[i] = now - latest < within
    return supported


@njit(cache=True, nogil=True)
def _supported(t, x, y, width, within, corners, last):  # type: ignore[no-untyped-def]
    """bool (events,): whether a neighbour had an event less than `within` before each event; `last` holds each pixel's last time."""
    supported = np.empty(t.shape[0], np.bool_)
    for i in range(t.shape[0]):
        pixel = (np.int64(y[i]) + 1) * width + np.int64(x[i]) + 1
        now = t[i]
        last[pixel] = now
        latest = max(max(last[pixel - 1], last[pixel + 1]), max(last[pixel - width], last[pixel + width]))
        if corners:
            above, below = pixel - width, pixel + width
            latest = max(
                latest, max(max(last[above - 1], last[above + 1]), max(last[below - 1], last[below + 1]))
            )
        # The unsigned difference is exact for any two times in order. `latest` is after `now` only where tonic counts 0 for "never".
        supported[i] = latest != NEVER and (
            latest > now or np.uint64(now) - np.uint64(latest) < np.uint64(within)
        )
    return supported


class Denoise(Step, frozen=True, forbid_unknown_fields=True):
    """Keeps an event if one of its neighbours had an event less than `filter_time_us` before it (Delbruck 2008).

    Dropped events count as events of their pixel. `neighbours` is 8, or 4 for those that share a side. A pixel
    without events yet supports no neighbour. In tonic's Denoise it counts as fired at time 0, and only the four neighbours
    that share a side count: `tonic` does the same, bit for bit.
    """

    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Delbruck: Frame-free dynamic digital vision, 2008"

    filter_time_us: int = 10_000
    neighbours: int = 8
    tonic: bool = False

    def __post_init__(self) -> None:
        check_whole("denoise", "filter_time_us", self.filter_time_us, 1, 2**61)
        if self.neighbours not in (4, 8):
            raise BadSpec(f"neighbours is {self.neighbours!r}", where="denoise", allowed="4 or 8")

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events with a recent event of a neighbour, in their order."""
        if not len(events):
            return events
        width, height = events.sensor
        corners = self.neighbours == 8 and not self.tonic
        columns = (events.t, events.x, events.y, width + 2)
        # A border that never fires around the sensor saves the kernels checks for the edges.
        bordered = (height + 2, width + 2)
        largest = max(events.duration_us + self.filter_time_us + 1, math.prod(bordered))
        if not self.tonic and fits_uint32(largest):
            last = np.zeros(bordered, np.uint32).reshape(-1)
            return select(events, _supported_32(*columns, np.uint32(self.filter_time_us), corners, last))
        last = np.full(bordered, NEVER)
        if self.tonic:  # its sensor ends at the largest coordinates that occur
            last[1 : int(events.y.max()) + 2, 1 : int(events.x.max()) + 2] = 0
        return select(events, _supported(*columns, self.filter_time_us, corners, last.reshape(-1)))
