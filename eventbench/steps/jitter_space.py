"""Jitter in space: moves every event by a normally distributed number of pixels."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._compaction import kept_columns
from eventbench.steps._parts import check_number, require_generator
from eventbench.steps.base import Step


class JitterSpace(Step, frozen=True, forbid_unknown_fields=True):
    """x and y move by round(N(0, std)) each; an event that leaves the sensor is dropped, never wrapped or clipped."""

    version: ClassVar[int] = 1

    std: float

    def __post_init__(self) -> None:
        check_number("jitter_space", "std", self.std, 0, 65536)

    @property
    def random(self) -> bool:
        """Always."""
        return True

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events that stay on the sensor, in their order."""
        generator = require_generator("jitter_space", generator)
        dx, dy = np.rint(generator.normal(0, self.std, (2, len(events)))).astype(np.int64)
        x, y = events.x + dx, events.y + dy
        inside = (x >= 0) & (x < events.sensor[0]) & (y >= 0) & (y < events.sensor[1])
        columns = kept_columns(events.t, x.astype(np.uint16), y.astype(np.uint16), events.p, inside)
        return Events.trusted(*columns, events.sensor)
