"""Flip up and down: y becomes height - 1 - y."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._bases import AppliedWithProbability


class FlipUpDown(AppliedWithProbability, frozen=True, forbid_unknown_fields=True):
    """y becomes height - 1 - y.

    With `probability` below 1, some recordings are left unchanged.
    """

    version: ClassVar[int] = 1

    def change(self, events: Events) -> Events:
        """The same number of events, in order of time."""
        y = np.uint16(events.sensor[1] - 1) - events.y
        return Events.trusted(events.t, events.x, y, events.p, events.sensor)
