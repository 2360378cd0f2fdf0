"""Jitter in time: every event moved by a normal number of microseconds of its own."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import drawn_from, in_order, number
from eventbench.steps.base import Step


class JitterTime(Step, frozen=True, forbid_unknown_fields=True):
    """t becomes t + round(N(0, std_us)); events are put back into order of time (stable)."""

    version: ClassVar[int] = 1

    std_us: float

    def __post_init__(self) -> None:
        number("jitter_time", "std_us", self.std_us, 0, 1e12)

    @property
    def random(self) -> bool:
        return True

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """As many events, in order of time."""
        by = np.rint(drawn_from("jitter_time", generator).normal(0, self.std_us, len(events))).astype(
            np.int64
        )
        return in_order(events.t + by, events.x, events.y, events.p, events.sensor)
