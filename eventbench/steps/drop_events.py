"""Drop events: drops a random share of the events, each independently."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._bases import DropsShare
from eventbench.steps._parts import select


class DropEvents(DropsShare, frozen=True, forbid_unknown_fields=True):
    """Drops every event with the same probability, drawn from [least, most] for each recording."""

    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Gu, Sng, Hu, Yu: EventDrop, IJCAI 2021"

    def drop(self, events: Events, share: float, generator: np.random.Generator) -> Events:
        """The remaining events, in their order."""
        return select(events, generator.random(len(events)) >= share)
