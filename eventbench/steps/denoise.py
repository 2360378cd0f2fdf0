"""Denoise: background activity, events that no neighbour fired before, dropped."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.steps._parts import kept, whole
from eventbench.steps.base import Step

NEVER = np.int64(-(2**63))


@njit(cache=True, nogil=True)
def _supported(t, x, y, width, within, corners, last):  # type: ignore[no-untyped-def]
    found = np.empty(t.shape[0], np.bool_)
    for i in range(t.shape[0]):
        at = (np.int64(y[i]) + 1) * width + np.int64(x[i]) + 1
        now = t[i]
        last[at] = now
        latest = max(max(last[at - 1], last[at + 1]), max(last[at - width], last[at + width]))
        if corners:
            above, below = at - width, at + width
            latest = max(
                latest, max(max(last[above - 1], last[above + 1]), max(last[below - 1], last[below + 1]))
            )
        # Unsigned: exact for any two times in order. Only at never-fired 0 (tonic's) may `latest` be after now.
        found[i] = latest != NEVER and (
            latest > now or np.uint64(now) - np.uint64(latest) < np.uint64(within)
        )
    return found


class Denoise(Step, frozen=True, forbid_unknown_fields=True):
    """Keeps an event if one of its neighbours had an event less than `filter_time_us` before it (Delbruck 2008).

    Dropped events count as events of their pixel. `neighbours` is 8, or 4 for those that share a side. A pixel that has
    not fired yet supports nobody; in tonic's Denoise it counts as fired at time 0, and only the four sides count: `tonic`
    does just that, bit for bit.
    """

    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Delbruck: Frame-free dynamic digital vision, 2008"

    filter_time_us: int = 10_000
    neighbours: int = 8
    tonic: bool = False

    def __post_init__(self) -> None:
        whole("denoise", "filter_time_us", self.filter_time_us, 1, 2**61)
        if self.neighbours not in (4, 8):
            raise BadSpec(f"neighbours is {self.neighbours!r}", where="denoise", allowed="4 or 8")

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events that a neighbour supports, in their order."""
        if not len(events):
            return events
        width, height = events.sensor
        # A rim around the sensor that never fires spares the kernel all tests of the edge.
        last = np.full((height + 2, width + 2), NEVER)
        if self.tonic:  # it sees no further than the largest coordinates that occur
            last[1 : int(events.y.max()) + 2, 1 : int(events.x.max()) + 2] = 0
        corners = self.neighbours == 8 and not self.tonic
        return kept(
            events,
            _supported(
                events.t, events.x, events.y, width + 2, self.filter_time_us, corners, last.reshape(-1)
            ),
        )
