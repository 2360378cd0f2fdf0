"""Drop time: the events of one stretch of time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import drawn_from, kept, spread
from eventbench.steps.base import Step


class DropTime(Step, frozen=True, forbid_unknown_fields=True):
    """Drops one stretch, a share of the recording's time drawn evenly from [least, most], at a place drawn evenly (Gu et al. 2021)."""

    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Gu, Sng, Hu, Yu: EventDrop, IJCAI 2021"

    least: float
    most: float

    def __post_init__(self) -> None:
        spread("drop_time", "least to most", (self.least, self.most), 0, 1)

    @property
    def random(self) -> bool:
        return True

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events that are left, in their order."""
        draw = drawn_from("drop_time", generator)
        share = draw.uniform(self.least, self.most)
        if not len(events):
            return events
        since = events.t - events.t[0]
        length = share * (events.duration_us + 1)
        start = draw.uniform(0, events.duration_us + 1 - length)
        return kept(events, (since < start) | (since >= start + length))
