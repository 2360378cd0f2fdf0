"""Drop hot pixels: drops all events of pixels that fire without a stimulus."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.events.summary import hot_pixels
from eventbench.steps._parts import check_number, select
from eventbench.steps.base import Step


class DropHotPixels(Step, frozen=True, forbid_unknown_fields=True):
    """Drops the events of pixels that are hot by the rule of `eventbench doctor`, or that fire above a rate.

    `most_hz` None uses the doctor's rule (events.summary.hot_pixels: far more events than the sensor's other pixels and
    its neighbours). Otherwise a pixel is hot if it has more than `most_hz` events per second, from the first event of the
    recording to the last: the rule of tonic's DropPixel(hot_pixel_frequency).
    """

    version: ClassVar[int] = 1

    most_hz: float | None = None

    def __post_init__(self) -> None:
        if self.most_hz is not None:
            check_number("drop_hot_pixels", "most_hz", self.most_hz, 0, 1e9)

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events of all other pixels, in their order."""
        if not len(events):
            return events
        width = events.sensor[0]
        cells = events.y.astype(np.int64) * width + events.x
        active, index, counts = np.unique(cells, return_inverse=True, return_counts=True)
        if self.most_hz is None:
            hot = np.isin(active, [pixel.y * width + pixel.x for pixel in hot_pixels(active, counts, width)])
        else:
            hot = counts * 1e6 > self.most_hz * max(events.duration_us, 1)
        return select(events, ~hot[index])
