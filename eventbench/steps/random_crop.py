"""Random crop: the events inside a rectangle at a random position, drawn for each recording."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.steps._parts import check_whole, cropped, require_generator
from eventbench.steps.base import Step


class RandomCrop(Step, frozen=True, forbid_unknown_fields=True):
    """Like `crop`, with a random corner, from all for which the rectangle is inside the sensor."""

    version: ClassVar[int] = 1

    width: int
    height: int

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            check_whole("random_crop", name, getattr(self, name), 1, 65536)

    @property
    def random(self) -> bool:
        """Always."""
        return True

    def sensor(self, sensor: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) of the output."""
        if self.width > sensor[0] or self.height > sensor[1]:
            raise BadSpec(
                f"{self.width}x{self.height}", where="random_crop", allowed=f"up to {sensor[0]}x{sensor[1]}"
            )
        return self.width, self.height

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events of the rectangle, in their order."""
        generator = require_generator("random_crop", generator)
        self.sensor(events.sensor)
        x, y = (
            int(generator.integers(0, sensor_side - side + 1))
            for sensor_side, side in zip(events.sensor, (self.width, self.height), strict=True)
        )
        return cropped(events, x, y, self.width, self.height)
