"""Add noise: events at random times, pixels and polarities, all equally likely."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.errors import BadEvents
from eventbench.events import Events
from eventbench.steps._parts import check_number, require_generator, sorted_by_time
from eventbench.steps.base import Step

MAX_EVENTS = 2**30  # more noise than this is probably a mistake


class AddNoise(Step, frozen=True, forbid_unknown_fields=True):
    """Adds `rate_hz` events per pixel and second on average, over the duration of the recording."""

    version: ClassVar[int] = 1

    rate_hz: float

    def __post_init__(self) -> None:
        check_number("add_noise", "rate_hz", self.rate_hz, 0, 1e6)

    @property
    def random(self) -> bool:
        """Always."""
        return True

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events and the noise, in order of time."""
        generator = require_generator("add_noise", generator)
        if not len(events):
            return events
        width, height = events.sensor
        expected = self.rate_hz * events.duration_us * 1e-6 * width * height
        if expected > MAX_EVENTS:
            raise BadEvents(
                f"{expected:.3g} events of noise in {events.duration_us:,} us",
                where="add_noise",
                allowed=f"up to {MAX_EVENTS:,}",
                fix="use a lower rate_hz, or a shorter part of the recording",
            )
        n = int(generator.poisson(expected))
        t = np.concatenate([events.t, events.t[0] + generator.integers(0, events.duration_us + 1, n)])
        x = np.concatenate([events.x, generator.integers(0, width, n).astype(np.uint16)])
        y = np.concatenate([events.y, generator.integers(0, height, n).astype(np.uint16)])
        p = np.concatenate([events.p, generator.integers(0, 2, n).astype(np.uint8)])
        return sorted_by_time(t, x, y, p, events.sensor)
