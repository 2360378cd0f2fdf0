"""Drop area: drops the events of one rectangle."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._bases import DropsShare
from eventbench.steps._parts import select


class DropArea(DropsShare, frozen=True, forbid_unknown_fields=True):
    """Drops one rectangle: its sides are a share of the sensor's, drawn from [least, most], its position is random (Gu et al. 2021)."""

    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Gu, Sng, Hu, Yu: EventDrop, IJCAI 2021"

    def drop(self, events: Events, share: float, generator: np.random.Generator) -> Events:
        """The remaining events, in their order."""
        width, height = (round(share * side) for side in events.sensor)
        left = int(generator.integers(0, events.sensor[0] - width + 1))
        top = int(generator.integers(0, events.sensor[1] - height + 1))
        in_columns = (events.x >= left) & (events.x < left + width)
        in_rows = (events.y >= top) & (events.y < top + height)
        return select(events, ~(in_columns & in_rows))
