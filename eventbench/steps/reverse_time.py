"""Reverse time: the last event comes first, and ON becomes OFF."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._bases import AppliedWithProbability


class ReverseTime(AppliedWithProbability, frozen=True, forbid_unknown_fields=True):
    """t becomes t_first + t_last - t, and p becomes 1 - p: played backwards, brightening becomes darkening.

    With `probability` below 1, some recordings are left unchanged.
    """

    version: ClassVar[int] = 1

    def change(self, events: Events) -> Events:
        """The same number of events, in order of time."""
        if not len(events):
            return events
        # Differences first, since the sum of two times might overflow.
        t = events.t[0] + (events.t[-1] - events.t[::-1])
        p = np.uint8(1) - events.p[::-1]
        return Events.trusted(t, events.x[::-1], events.y[::-1], p, events.sensor)
