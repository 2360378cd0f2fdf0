"""Crop by count: a number of events, starting at the first or a later one."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import check_whole
from eventbench.steps.base import Step


class CropCount(Step, frozen=True, forbid_unknown_fields=True):
    """Keeps events number `start` to `start + events` (fewer if the recording ends earlier)."""

    version: ClassVar[int] = 1

    events: int
    start: int = 0

    def __post_init__(self) -> None:
        check_whole("crop_count", "events", self.events)
        check_whole("crop_count", "start", self.start, 0)

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events of the window, as views."""
        return events[self.start : self.start + self.events]
