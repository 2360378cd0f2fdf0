"""Drop time: drops the events of one interval of time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._bases import DropsShare
from eventbench.steps._parts import select


class DropTime(DropsShare, frozen=True, forbid_unknown_fields=True):
    """Drops one interval: a share of the recording's duration, drawn from [least, most], at a random time (Gu et al. 2021)."""

    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Gu, Sng, Hu, Yu: EventDrop, IJCAI 2021"

    def drop(self, events: Events, share: float, generator: np.random.Generator) -> Events:
        """The remaining events, in their order."""
        if not len(events):
            return events
        since_first = events.t - events.t[0]
        length = share * (events.duration_us + 1)
        start = generator.uniform(0, events.duration_us + 1 - length)
        return select(events, (since_first < start) | (since_first >= start + length))
