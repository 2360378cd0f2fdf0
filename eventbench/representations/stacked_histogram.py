"""Stacked histogram: counts in equal times, polarities and times stacked as channels, as RVT takes them."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import numpy as np

from eventbench.events import Events
from eventbench.representations._arguments import array_to_fill, whole
from eventbench.representations._edges import cut_at
from eventbench.representations._frames_kernels import count_slices
from eventbench.representations._slices import span_of
from eventbench.representations.base import Account, Documentation, PictureRow, Representation


class StackedHistogram(Representation, frozen=True, forbid_unknown_fields=True):
    """Counts of events (1, 2 * bins, H, W), uint8: channel p * bins + b is polarity p (0 OFF, 1 ON) in time bin b.

    Gehrig and Scaramuzza, "Recurrent Vision Transformers for Object Detection with Event Cameras", CVPR 2023, section
    3.1: with t0 and t1 the times of the first and the last event,

        b = min(floor((t - t0) / max(t1 - t0, 1) * bins), bins - 1)

    in whole numbers: b = (t - t0) * bins // max(t1 - t0, 1). The authors' program divides in float32, which puts an
    event within a rounding of a bin's edge into the bin beside it. Where all events are at one time they are in bin 0.
    This is `Frames` with another cut: there a bin is a whole number of microseconds and the last takes the rest.

    A cell stays at `count_cutoff`; each further event is lost, reason "saturated". (The authors' `fastmode` counts in
    uint8 and wraps at 256 before it cuts off; theirs without it, in int16, is this.)

    Parameters
    ----------
    bins : time bins, half as many as channels
    count_cutoff : the largest count, up to 255
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        shape="(1, 2 * bins, H, W)",
        definition=(
            "events counted per pixel, polarity and equal time, all as channels of one step, cut off at "
            "count_cutoff"
        ),
        paper=(
            "Gehrig, Scaramuzza: Recurrent Vision Transformers for Object Detection with Event Cameras, CVPR "
            "2023"
        ),
        deviations=(
            "bins are cut in whole numbers where the authors divide in float32; never their uint8 that wraps "
            "at 256"
        ),
        picture=(
            PictureRow(
                title="stacked_histogram: bins 8, count_cutoff 10: (1, 16, 64, 64)",
                parameters={"bins": 8},
                caption="bin {0}",
            ),
        ),
        shows=(
            "The first line is channels 0 to 7, OFF; the second, channels 8 to 15, ON. A moving arm leaves "
            "OFF on one side of it and ON on the other."
        ),
    )

    bins: int = 10
    count_cutoff: int = 10

    def __post_init__(self) -> None:
        force, where = msgspec.structs.force_setattr, "stacked_histogram"
        force(self, "bins", whole("bins", self.bins, where))
        force(self, "count_cutoff", whole("count_cutoff", self.count_cutoff, where, most=255))

    @property
    def array_dtype(self) -> np.dtype:
        """uint8."""
        return np.dtype(np.uint8)

    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(1, 2 * bins, H, W) for a (width, height) sensor."""
        width, height = sensor
        return 1, 2 * self.bins, height, width

    def apply(self, events: Events, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """The counts (1, 2 * bins, H, W) and the account of the events; without events, zeros.

        `out`, when given, is overwritten and returned; it must be writeable, C-contiguous and of the result's shape
        and dtype. Raises BadSpec for a wrong `out` and for an array of over 16 GiB.
        """
        out = array_to_fill(out, self.shape(events.sensor), self.array_dtype, "stacked_histogram")
        width, height = events.sensor
        span = max(span_of(events.t), 1)
        cuts = cut_at(events.t, [-(-b * span // self.bins) for b in range(self.bins)])
        counts = np.empty((self.bins, 2, height, width), np.uint8)
        saturated = count_slices(
            events.x,
            events.y,
            events.p,
            cuts,
            0,
            self.bins,
            width,
            height * width,
            self.count_cutoff,
            counts.reshape(self.bins, -1),
            np.empty(self.bins, np.int64),
        )
        out.reshape(2, self.bins, height, width)[...] = counts.transpose(1, 0, 2, 3)
        return out, Account(
            len(events), len(events) - saturated, {"saturated": int(saturated)} if saturated else {}
        )
