"""Decimate: every n-th event of each pixel."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.events import Events
from eventbench.steps._parts import check_whole, select
from eventbench.steps.base import Step


@njit(cache=True, nogil=True)
def _every_nth(x, y, width, n, counts):  # type: ignore[no-untyped-def]
    """bool (events,): whether each event is the n-th of its pixel since the last selected one."""
    selected = np.empty(x.shape[0], np.bool_)
    for i in range(x.shape[0]):
        pixel = np.int64(y[i]) * width + np.int64(x[i])
        count = counts[pixel] + np.uint32(1)
        selected[i] = count == n
        counts[pixel] = np.uint32(0) if count == n else count
    return selected


class Decimate(Step, frozen=True, forbid_unknown_fields=True):
    """Keeps the n-th, 2n-th, 3n-th ... event of every pixel, whatever their polarity (tonic's Decimation, bit for bit)."""

    version: ClassVar[int] = 1

    n: int

    def __post_init__(self) -> None:
        check_whole("decimate", "n", self.n, 1, 2**31 - 1)

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The remaining events, in their order."""
        width, height = events.sensor
        return select(
            events, _every_nth(events.x, events.y, width, self.n, np.zeros(width * height, np.uint32))
        )
