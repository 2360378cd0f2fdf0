"""Flip left and right: x becomes width - 1 - x."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._bases import AppliedWithProbability


class FlipLeftRight(AppliedWithProbability, frozen=True, forbid_unknown_fields=True):
    """x becomes width - 1 - x.

    With `probability` below 1, some recordings are left unchanged.
    """

    version: ClassVar[int] = 1

    def change(self, events: Events) -> Events:
        """The same number of events, in order of time."""
        x = np.uint16(events.sensor[0] - 1) - events.x
        return Events.trusted(events.t, x, events.y, events.p, events.sensor)
