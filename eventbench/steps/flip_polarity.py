"""Flip polarity: ON becomes OFF and OFF becomes ON."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._bases import AppliedWithProbability


class FlipPolarity(AppliedWithProbability, frozen=True, forbid_unknown_fields=True):
    """p becomes 1 - p.

    With `probability` below 1, some recordings are left unchanged.
    """

    version: ClassVar[int] = 1

    def change(self, events: Events) -> Events:
        """The same number of events, in order of time."""
        return Events.trusted(events.t, events.x, events.y, np.uint8(1) - events.p, events.sensor)
