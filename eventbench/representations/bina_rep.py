"""Bina-Rep: binary frames read together as the bits of one number a pixel and polarity."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import numpy as np
from numba import njit

from eventbench.errors import UnknownName
from eventbench.events import Events
from eventbench.representations._arguments import array_to_fill, whole
from eventbench.representations._slices import RULES
from eventbench.representations.base import Account, Documentation, PictureRow, Representation

SPLITS = tuple(name for name, rule in RULES.items() if rule.needs == "bins")


class BinaRep(Representation, frozen=True, forbid_unknown_fields=True):
    """Numbers of N bits (T, P, H, W), float32 from 0 to 1: P = 2, channel 0 OFF, channel 1 ON.

    Barchid, Mennesson and Djéraba, "Bina-Rep Event Frames: a Simple and Effective Representation for Event-Based
    Cameras", ICIP 2022. A recording is cut into bins * bits slices, as `Frames` does by the same `split_by`; b_i is 1
    where a pixel has an event of the polarity in slice i of the `bits` slices of a step, and its value is

        sum over i from 0 to bits - 1 of b_i * 2**(bits - 1 - i), divided by 2**bits - 1:

    the earliest slice is the highest bit, and 1 means an event in every slice. With split_by="tonic_time" it is
    `tonic.transforms.ToFrame(n_time_bins=bins * bits)` and then `ToBinaRep(n_frames=bins, n_bits=bits)` bit for bit,
    with "tonic_count" the same after n_event_bins.

    All events of a slice count as binned, those after the first in their cell too; events that a `split_by` leaves out
    are lost with reason "tail". A recording without events gives zeros.

    Parameters
    ----------
    bins : T, the number of steps
    bits : slices a step, N, from 2 to 24 (what float32 holds exactly)
    split_by : "time", "count", "tonic_time", "tonic_count", "spikingjelly_time" or "spikingjelly_count"
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        shape="(T, P, H, W)",
        definition=(
            "N binary frames read as the bits of one number a pixel and polarity, the earliest the highest "
            "bit, over 2^N - 1"
        ),
        paper=(
            "Barchid, Mennesson, Djéraba: Bina-Rep Event Frames: a Simple and Effective Representation for "
            "Event-Based Cameras, ICIP 2022"
        ),
        modes=(
            'tonic: `split_by = "tonic_time"`, `"tonic_count"`; SpikingJelly\'s cuts: `"spikingjelly_time"`, '
            '`"spikingjelly_count"`'
        ),
        deviations="by default no event is left out of the last slice",
        picture=(
            PictureRow(
                title="bina_rep: bins 8, bits 8: (8, 2, 64, 64), each step read from 8 binary frames",
                parameters={"bins": 8, "bits": 8},
                caption="step {0}",
                scale="unit",
            ),
        ),
        shows=(
            "The strength of a pixel is a number of 8 bits: the earlier and the more often it fired within "
            "the step, the brighter."
        ),
    )

    bins: int = 1
    bits: int = 8
    split_by: str = "time"

    def __post_init__(self) -> None:
        if self.split_by not in SPLITS:
            raise UnknownName("split_by", str(self.split_by), SPLITS, where="bina_rep")
        msgspec.structs.force_setattr(self, "bins", whole("bins", self.bins, "bina_rep", most=2**40))
        msgspec.structs.force_setattr(self, "bits", whole("bits", self.bits, "bina_rep", least=2, most=24))

    @property
    def array_dtype(self) -> np.dtype:
        """float32."""
        return np.dtype(np.float32)

    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(T, P, H, W) for a (width, height) sensor."""
        width, height = sensor
        return self.bins, 2, height, width

    def apply(self, events: Events, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """The numbers (T, P, H, W) and the account of the events.

        `out`, when given, is overwritten and returned; it must be writeable, C-contiguous and of the result's shape
        and dtype. Raises BadSpec for a wrong `out` and for an array of over 16 GiB; BadEvents as the split_by says.
        """
        out = array_to_fill(out, self.shape(events.sensor), self.array_dtype, "bina_rep")
        width, height = events.sensor
        slices = self.bins * self.bits
        cuts = RULES[self.split_by].cut(events.t, slices, slices)
        flat = out.reshape(self.bins, -1)
        _set_bits(events.x, events.y, events.p, cuts, self.bits, width, width * height, flat)
        total, binned = len(events), int(cuts[-1])
        return out, Account(total, binned, {"tail": total - binned} if binned < total else {})


@njit(cache=True, nogil=True)
def _set_bits(x, y, p, cuts, bits, width, area, flat):  # type: ignore[no-untyped-def]
    """Fill flat (T, cells) with the numbers; slice k is bit bits - 1 - k % bits of row k // bits."""
    numbers = np.zeros(flat.shape[1], np.uint32)
    most = np.float32(2**bits - 1)
    for row in range(flat.shape[0]):
        numbers[:] = 0
        for i in range(bits):
            bit, k = np.uint32(1 << (bits - 1 - i)), row * bits + i
            for e in range(cuts[k], cuts[k + 1]):
                numbers[np.int64(p[e]) * area + np.int64(y[e]) * width + np.int64(x[e])] |= bit
        for cell in range(flat.shape[1]):
            flat[row, cell] = np.float32(numbers[cell]) / most
