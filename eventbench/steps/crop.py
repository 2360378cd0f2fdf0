"""Crop: the events inside a rectangle, which becomes the sensor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.steps._parts import check_whole, cropped
from eventbench.steps.base import Step


class Crop(Step, frozen=True, forbid_unknown_fields=True):
    """Keeps x <= column < x + width and y <= row < y + height, counted from (x, y) afterwards.

    Without x or y the rectangle is centred on that axis (rounded to the left and the top).
    Raises BadSpec if the rectangle is not inside the sensor.
    """

    version: ClassVar[int] = 1

    width: int
    height: int
    x: int | None = None
    y: int | None = None

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            check_whole("crop", name, getattr(self, name), 1, 65536)
        for name in ("x", "y"):
            if getattr(self, name) is not None:
                check_whole("crop", name, getattr(self, name), 0, 65535)

    def _corner(self, sensor: tuple[int, int]) -> tuple[int, int]:
        x = (sensor[0] - self.width) // 2 if self.x is None else self.x
        y = (sensor[1] - self.height) // 2 if self.y is None else self.y
        if x < 0 or y < 0 or x + self.width > sensor[0] or y + self.height > sensor[1]:
            raise BadSpec(
                f"{self.width}x{self.height} from ({x}, {y})",
                where="crop",
                allowed=f"a part of the sensor of {sensor[0]}x{sensor[1]}",
            )
        return x, y

    def sensor(self, sensor: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) of the output."""
        self._corner(sensor)
        return self.width, self.height

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events of the rectangle, in their order."""
        return cropped(events, *self._corner(events.sensor), self.width, self.height)
