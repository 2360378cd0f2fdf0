"""Drop pixels: drops all events of a random share of the pixels."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._bases import DropsShare
from eventbench.steps._parts import select


class DropPixels(DropsShare, frozen=True, forbid_unknown_fields=True):
    """Drops round(share * pixels) pixels of the sensor, with share drawn from [least, most]; all pixels are equally likely."""

    version: ClassVar[int] = 1

    def drop(self, events: Events, share: float, generator: np.random.Generator) -> Events:
        """The remaining events, in their order."""
        width, height = events.sensor
        dead = np.zeros(width * height, np.bool_)
        dead[generator.permutation(width * height)[: round(share * width * height)]] = True
        return select(events, ~dead[events.y.astype(np.int64) * width + events.x])
