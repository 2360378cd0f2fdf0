"""Drop events: a share of them, each by itself."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import drawn_from, kept, spread
from eventbench.steps.base import Step


class DropEvents(Step, frozen=True, forbid_unknown_fields=True):
    """Every event is dropped with the same probability, drawn evenly from [least, most] a recording."""

    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Gu, Sng, Hu, Yu: EventDrop, IJCAI 2021"

    least: float
    most: float

    def __post_init__(self) -> None:
        spread("drop_events", "least to most", (self.least, self.most), 0, 1)

    @property
    def random(self) -> bool:
        return True

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events that are left, in their order."""
        draw = drawn_from("drop_events", generator)
        share = draw.uniform(self.least, self.most)
        return kept(events, draw.random(len(events)) >= share)
