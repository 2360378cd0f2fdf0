"""Reverse time: the last event first, brightening become darkening."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import drawn_from, number
from eventbench.steps.base import Step


class ReverseTime(Step, frozen=True, forbid_unknown_fields=True):
    """t becomes t_first + t_last - t, and p becomes 1 - p: seen backwards, what grew brighter grows darker.

    With `probability` below 1 a recording is changed or left alone as a whole.
    """

    version: ClassVar[int] = 1

    probability: float = 1.0

    def __post_init__(self) -> None:
        number("reverse_time", "probability", self.probability, 0, 1)

    @property
    def random(self) -> bool:
        return self.probability < 1

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """As many events, in order of time."""
        if self.random and drawn_from("reverse_time", generator).random() >= self.probability:
            return events
        if not len(events):
            return events
        # As differences from the ends, which no sum of two times can overflow.
        t = events.t[0] + (events.t[-1] - events.t[::-1])
        p = np.uint8(1) - events.p[::-1]
        return Events.trusted(t, events.x[::-1], events.y[::-1], p, events.sensor)
