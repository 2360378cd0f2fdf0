"""Binary frames: 1 where a pixel and polarity had at least one event in the frame's time or share of events."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import numpy as np
from numba import njit

from eventbench.errors import BadSpec, UnknownName
from eventbench.events import Events
from eventbench.representations._arguments import array_to_fill, whole
from eventbench.representations._frames_kernels import BLOCK, fill_addresses
from eventbench.representations._slices import RULES
from eventbench.representations.base import Account, Documentation, PictureRow, Representation

SPLITS = tuple(name for name, rule in RULES.items() if rule.needs == "bins")


class Binary(Representation, frozen=True, forbid_unknown_fields=True):
    """Ones and zeros (T, P, H, W), uint8: 1 where a pixel had at least one event of the polarity; P = 0 OFF, 1 ON.

    Which events a frame holds is the `split_by` of `Frames`, of which those with a fixed number of frames are taken;
    this is min(frames, 1). A recording without events gives zeros.

    All events of a frame count as binned, those after the first in their cell too; events that a `split_by` leaves
    out are lost with reason "tail".

    Parameters
    ----------
    bins : T, the number of frames
    split_by : "time", "count", "tonic_time", "tonic_count", "spikingjelly_time" or "spikingjelly_count"
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        shape="(T, P, H, W)",
        definition="1 where a pixel had at least one event of the polarity in the frame, else 0",
        modes="the cuts of tonic and SpikingJelly by the same `split_by` as `frames` with fixed T",
        deviations="as `frames`",
        picture=(
            PictureRow(
                title="binary: bins 8 (equal times): (8, 2, 64, 64)",
                parameters={"bins": 8},
                caption="frame {0}",
                scale="unit",
            ),
        ),
        shows=(
            "Every pixel that fired is as bright as any other; a pixel of both colours fired both ways within "
            "the frame."
        ),
    )

    bins: int = 16
    split_by: str = "time"

    def __post_init__(self) -> None:
        if self.split_by not in SPLITS:
            raise UnknownName("split_by", str(self.split_by), SPLITS, where="binary")
        msgspec.structs.force_setattr(self, "bins", whole("bins", self.bins, "binary"))

    @property
    def array_dtype(self) -> np.dtype:
        """uint8."""
        return np.dtype(np.uint8)

    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(T, P, H, W) for a (width, height) sensor."""
        width, height = sensor
        return self.bins, 2, height, width

    def apply(self, events: Events, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """The frames (T, P, H, W) and the account of the events.

        `out`, when given, is overwritten and returned; it must be writeable, C-contiguous and of the result's
        shape and dtype. Raises BadSpec for a wrong `out` and for frames of over 16 GiB; BadEvents as the split_by
        says.
        """
        width, height = events.sensor
        if width * height > 2**31:  # addresses have 32 bits
            raise BadSpec(f"the sensor is {width}x{height}", where="binary", allowed="up to 2**31 pixels")
        out = array_to_fill(out, self.shape(events.sensor), self.array_dtype, "binary")
        cuts = RULES[self.split_by].cut(events.t, self.bins, self.bins)
        flat = out.reshape(self.bins, 2 * height * width)
        _mark_slices(events.x, events.y, events.p, cuts, width, width * height, flat)
        total, binned = len(events), int(cuts[-1])
        return out, Account(total, binned, {"tail": total - binned} if binned < total else {})


@njit(cache=True, nogil=True)
def _mark_slices(x, y, p, cuts, width, area, flat):  # type: ignore[no-untyped-def]
    """Set the cells of events cuts[k] to cuts[k+1] to 1 in flat[k] (2 * area cells), the others to 0."""
    block = np.empty(BLOCK, np.uint32)
    for k in range(flat.shape[0]):
        frame, stop = flat[k], cuts[k + 1]
        frame[:] = 0
        for start in range(cuts[k], stop, BLOCK):
            end = min(start + BLOCK, stop)
            fill_addresses(x[start:end], y[start:end], p[start:end], width, area, block)
            for address in block[: end - start]:
                frame[address] = 1
