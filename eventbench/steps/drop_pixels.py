"""Drop pixels: all events of a share of the pixels."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import drawn_from, kept, spread
from eventbench.steps.base import Step


class DropPixels(Step, frozen=True, forbid_unknown_fields=True):
    """Drops round(share * pixels) pixels of the sensor, share drawn evenly from [least, most], each pixel alike."""

    version: ClassVar[int] = 1

    least: float
    most: float

    def __post_init__(self) -> None:
        spread("drop_pixels", "least to most", (self.least, self.most), 0, 1)

    @property
    def random(self) -> bool:
        return True

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events that are left, in their order."""
        draw = drawn_from("drop_pixels", generator)
        share = draw.uniform(self.least, self.most)
        width, height = events.sensor
        dead = np.zeros(width * height, np.bool_)
        dead[draw.permutation(width * height)[: round(share * width * height)]] = True
        return kept(events, ~dead[events.y.astype(np.int64) * width + events.x])
