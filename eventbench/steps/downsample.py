"""Downsample: coordinates divided by a whole factor, every event kept."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import check_whole
from eventbench.steps.base import Step


class Downsample(Step, frozen=True, forbid_unknown_fields=True):
    """x and y become x // factor and y // factor; the sensor's sides are divided and rounded up.

    Every event is kept with its time and polarity, so frames made afterwards are sum-pooled: cell (y, x) holds
    the counts of a factor x factor square (of a smaller rectangle at the right and lower edge if factor does not divide the side).
    Raises BadSpec if factor is not a whole number of at least 1.
    """

    version: ClassVar[int] = 1

    factor: int

    def __post_init__(self) -> None:
        check_whole("downsample", "factor", self.factor, 1, 65535)

    def sensor(self, sensor: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) of the output."""
        width, height = sensor
        return -(-width // self.factor), -(-height // self.factor)

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The same events in the same order, on the smaller sensor."""
        sensor = self.sensor(events.sensor)
        return Events.trusted(events.t, events.x // self.factor, events.y // self.factor, events.p, sensor)
