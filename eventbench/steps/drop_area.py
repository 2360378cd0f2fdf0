"""Drop area: the events of one rectangle."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import drawn_from, kept, spread
from eventbench.steps.base import Step


class DropArea(Step, frozen=True, forbid_unknown_fields=True):
    """Drops one rectangle whose sides are a share of the sensor's, drawn evenly from [least, most], at a place drawn evenly (Gu et al. 2021)."""

    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Gu, Sng, Hu, Yu: EventDrop, IJCAI 2021"

    least: float
    most: float

    def __post_init__(self) -> None:
        spread("drop_area", "least to most", (self.least, self.most), 0, 1)

    @property
    def random(self) -> bool:
        return True

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events that are left, in their order."""
        draw = drawn_from("drop_area", generator)
        share = draw.uniform(self.least, self.most)
        width, height = (round(share * side) for side in events.sensor)
        left = int(draw.integers(0, events.sensor[0] - width + 1))
        top = int(draw.integers(0, events.sensor[1] - height + 1))
        across = (events.x >= left) & (events.x < left + width)
        return kept(events, ~(across & (events.y >= top) & (events.y < top + height)))
