"""Flip left and right: x becomes width - 1 - x."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import drawn_from, number
from eventbench.steps.base import Step


class FlipLeftRight(Step, frozen=True, forbid_unknown_fields=True):
    """x becomes width - 1 - x.

    With `probability` below 1 a recording is changed or left alone as a whole.
    """

    version: ClassVar[int] = 1

    probability: float = 1.0

    def __post_init__(self) -> None:
        number("flip_left_right", "probability", self.probability, 0, 1)

    @property
    def random(self) -> bool:
        return self.probability < 1

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """As many events, in order of time."""
        if self.random and drawn_from("flip_left_right", generator).random() >= self.probability:
            return events
        return Events.trusted(
            events.t, np.uint16(events.sensor[0] - 1) - events.x, events.y, events.p, events.sensor
        )
