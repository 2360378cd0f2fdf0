"""Flip polarity: ON becomes OFF and OFF becomes ON."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import drawn_from, number
from eventbench.steps.base import Step


class FlipPolarity(Step, frozen=True, forbid_unknown_fields=True):
    """p becomes 1 - p, of all events of a recording.

    With `probability` below 1 a recording is changed or left alone as a whole.
    """

    version: ClassVar[int] = 1

    probability: float = 1.0

    def __post_init__(self) -> None:
        number("flip_polarity", "probability", self.probability, 0, 1)

    @property
    def random(self) -> bool:
        return self.probability < 1

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """As many events, in order of time."""
        if self.random and drawn_from("flip_polarity", generator).random() >= self.probability:
            return events
        return Events.trusted(events.t, events.x, events.y, np.uint8(1) - events.p, events.sensor)
