"""Scale time: faster or slower by a factor, fixed or drawn from a range."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.errors import BadEvents
from eventbench.events import Events
from eventbench.steps._parts import check_range, require_generator
from eventbench.steps.base import Step


class ScaleTime(Step, frozen=True, forbid_unknown_fields=True):
    """t becomes t_first + factor * (t - t_first), rounded down; factor is drawn from [least, most] for each recording."""

    version: ClassVar[int] = 1

    least: float
    most: float

    def __post_init__(self) -> None:
        check_range("scale_time", "least to most", (self.least, self.most), 1e-6, 1e6)

    @property
    def random(self) -> bool:
        """Whether the factor is drawn."""
        return self.least != self.most

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The same number of events, in their order."""
        factor = (
            require_generator("scale_time", generator).uniform(self.least, self.most)
            if self.random
            else self.least
        )
        if len(events) < 2:
            return events
        if factor * events.duration_us >= 2**62:
            raise BadEvents(
                f"{events.duration_us} us times {factor:g}",
                where="scale_time",
                allowed="spans below 2**62 us",
            )
        t = events.t[0] + np.floor((events.t - events.t[0]) * factor).astype(np.int64)
        return Events.trusted(t, events.x, events.y, events.p, events.sensor)
