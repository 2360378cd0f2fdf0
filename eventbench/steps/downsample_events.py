"""Downsample events: a coarser sensor whose pixels fire after enough events."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.events import Events
from eventbench.steps._compaction import kept_columns
from eventbench.steps._parts import check_whole
from eventbench.steps.base import Step


@njit(cache=True, nogil=True)
def _fires(x, y, p, width, threshold, sums):  # type: ignore[no-untyped-def]
    """bool (events,): whether each event makes its coarse pixel fire; `sums` are the states of the pixels."""
    fires = np.empty(x.shape[0], np.bool_)
    for i in range(x.shape[0]):
        pixel = np.int64(y[i]) * width + np.int64(x[i])
        total = sums[pixel] + (1 if p[i] else -1)
        fires[i] = abs(total) >= threshold
        sums[pixel] = 0 if abs(total) >= threshold else total
    return fires


class DownsampleEvents(Step, frozen=True, forbid_unknown_fields=True):
    """An integrate-and-fire pixel for each factor x factor square: ON adds 1, OFF subtracts 1; at +-threshold it fires and is reset to 0.

    The event has the time of the event that made the pixel fire and the polarity of the threshold that was reached, so that
    noise of both polarities cancels (event-count downsampling with polarity; Ghosh et al. 2023).
    threshold None is factor * factor / 2 rounded up.
    """

    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Ghosh et al. 2023"

    factor: int
    threshold: int | None = None

    def __post_init__(self) -> None:
        check_whole("downsample_events", "factor", self.factor, 1, 65535)
        if self.threshold is not None:
            check_whole("downsample_events", "threshold", self.threshold, 1, 2**31 - 1)

    def sensor(self, sensor: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) of the output."""
        return -(-sensor[0] // self.factor), -(-sensor[1] // self.factor)

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The events that the coarse pixels fire, in order of time."""
        width, height = self.sensor(events.sensor)
        x, y = events.x // self.factor, events.y // self.factor
        threshold = self.threshold or -(-self.factor * self.factor // 2)
        fires = _fires(x, y, events.p, width, threshold, np.zeros(width * height, np.int32))
        return Events.trusted(*kept_columns(events.t, x, y, events.p, fires), (width, height))
