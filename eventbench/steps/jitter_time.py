"""Jitter in time: moves every event by a normally distributed number of microseconds."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import check_number, require_generator, sorted_by_time
from eventbench.steps.base import Step


class JitterTime(Step, frozen=True, forbid_unknown_fields=True):
    """t becomes t + round(N(0, std_us)); events are then sorted by time (stable)."""

    version: ClassVar[int] = 1

    std_us: float

    def __post_init__(self) -> None:
        check_number("jitter_time", "std_us", self.std_us, 0, 1e12)

    @property
    def random(self) -> bool:
        """Always."""
        return True

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The same number of events, in order of time."""
        generator = require_generator("jitter_time", generator)
        dt = np.rint(generator.normal(0, self.std_us, len(events))).astype(np.int64)
        return sorted_by_time(events.t + dt, events.x, events.y, events.p, events.sensor)
