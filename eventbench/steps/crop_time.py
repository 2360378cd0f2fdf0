"""Crop in time: the events of a time window, relative to the first event or absolute."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import check_whole
from eventbench.steps.base import Step


class CropTime(Step, frozen=True, forbid_unknown_fields=True):
    """Keeps start <= t < start + duration_us; each recording is cropped on its own.

    start_us is relative to the first event of the recording, or with `absolute` it is a time t. duration_us None means up
    to the end. Times are not shifted.
    """

    version: ClassVar[int] = 1

    start_us: int = 0
    duration_us: int | None = None
    absolute: bool = False

    def __post_init__(self) -> None:
        check_whole("crop_time", "start_us", self.start_us, -(2**61), 2**61)
        if self.duration_us is not None:
            check_whole("crop_time", "duration_us", self.duration_us, 1, 2**61)

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events of the window, as views."""
        if not len(events):
            return events
        start = self.start_us + (0 if self.absolute else int(events.t[0]))
        first = _count_before(events.t, start)
        last = len(events) if self.duration_us is None else _count_before(events.t, start + self.duration_us)
        return events[first:last]


def _count_before(t: np.ndarray, time: int) -> int:
    """The number of events before `time`, a Python int that may exceed int64."""
    limits = np.iinfo(np.int64)
    if time > limits.max:
        return len(t)
    return int(np.searchsorted(t, np.int64(max(time, limits.min)), side="left"))
