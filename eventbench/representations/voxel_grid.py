"""Voxel grid: each event shared between the two time planes nearest to it, by its distance to them."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import numpy as np

from eventbench.errors import UnknownName
from eventbench.events import Events
from eventbench.representations._arguments import array_to_fill, whole
from eventbench.representations._voxel_kernels import MOST_PACKED, add_packed, add_shares, cut_between
from eventbench.representations.base import Account, Documentation, PictureRow, Representation

EDGES, POLARITIES, DTYPES = ("zhu2019", "tonic"), ("separate", "signed"), ("float32", "float64")


class VoxelGrid(Representation, frozen=True, forbid_unknown_fields=True):
    """Sums of event shares on B planes of time (B, C, H, W), bilinear in time (Zhu et al., CVPR 2019, eq. 1 and 2).

    With t0 and tN the times of the first and last event and p = -1 for OFF, +1 for ON,

        t*(t) = (B - 1) (t - t0) / (tN - t0),    V(b, y, x) = sum of p max(0, 1 - |b - t*|) over events at (x, y)

    so that plane 0 is at the first event, plane B - 1 at the last, and the shares of every event add up to 1. Where
    all events are at one time (one event, or B = 1) t* is 0 and plane 0 takes them whole. No events give zeros.

    edges="tonic" is `tonic.transforms.ToVoxelGrid`: t* = B (t - t0) / (tN - t0), so that plane b takes the left
    shares of the events from b to b + 1 and the right ones of those before; the right shares of the last run fall
    away, and the events at tN itself are lost with reason "tail". With polarity="signed" and dtype="float64" it has
    tonic's bits, given polarities of int8 and |t| < 2**53 us (further out tonic rounds the times first). It differs
    where tonic has no sound answer: of bool polarities tonic counts OFF as +1, unsigned ones it refuses, and events
    all at one time become NaN.

    In float32 a pixel of n events is within 2**-23 n (n + 1) of its float64, as sums of float32 are; where there are
    many events to a pixel, far closer.

    Parameters
    ----------
    bins : B, the number of planes
    polarity : "separate", C = 2: channel 0 the shares of OFF, 1 of ON events, none negative (the formula with p = 1);
        "signed", C = 1: as the formula says, ON less OFF
    edges : "zhu2019" or "tonic"
    dtype : "float32" or "float64"
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        shape="(B, C, H, W)",
        definition="each event shared between the two time planes nearest to it, by its distance to them",
        paper=(
            "Zhu, Yuan, Chaney, Daniilidis: Unsupervised Event-based Learning of Optical Flow, Depth, and "
            "Egomotion, CVPR 2019, eq. 1 and 2"
        ),
        modes='tonic: `edges = "tonic"`, `polarity = "signed"`, `dtype = "float64"`',
        deviations="by default polarities are kept apart and the last event is kept",
        picture=(
            PictureRow(
                title="voxel_grid: bins 8, polarity separate (default): (8, 2, 64, 64)",
                parameters={"bins": 8},
                caption="plane {0}",
            ),
            PictureRow(
                title="voxel_grid: bins 8, polarity signed: (8, 1, 64, 64)",
                parameters={"bins": 8, "polarity": "signed"},
                caption="plane {0}",
            ),
        ),
        shows=(
            "Above, OFF and ON each have a channel; below there is one channel, ON less OFF, so that what "
            "cancels goes dark."
        ),
    )

    bins: int = 16
    polarity: str = "separate"
    edges: str = "zhu2019"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        for name, known in (("polarity", POLARITIES), ("edges", EDGES), ("dtype", DTYPES)):
            if getattr(self, name) not in known:
                raise UnknownName(name, str(getattr(self, name)), known, where="voxel_grid")
        msgspec.structs.force_setattr(self, "bins", whole("bins", self.bins, "voxel_grid"))

    @property
    def array_dtype(self) -> np.dtype:
        """The type of a share: `dtype`."""
        return np.dtype(self.dtype)

    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(B, C, H, W) for a (width, height) sensor; C is 1 for polarity="signed", else 2."""
        width, height = sensor
        return self.bins, 1 if self.polarity == "signed" else 2, height, width

    def apply(self, events: Events, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """The planes (B, C, H, W) and the account of the events.

        `out`, when given, is overwritten and returned; it must be writeable, C-contiguous and of the result's
        shape and dtype. Raises BadSpec for a wrong `out` and for planes of over 16 GiB.
        """
        out = array_to_fill(out, self.shape(events.sensor), self.array_dtype, "voxel_grid")
        width, height = events.sensor
        times = float(self.bins if self.edges == "tonic" else self.bins - 1)
        span = float(events.duration_us or 1)
        cuts = np.empty(self.bins + 1, np.int64)
        cut_between(events.t, times, span, cuts)
        total, binned = len(events), int(cuts[-1])
        if self.edges == "zhu2019":
            cuts[-1] = binned = total
        flat = out.reshape(self.bins, -1)
        # Packed cells are twice as large and gone through once a plane: worth it where most have events.
        many = flat.size <= total and int(np.diff(cuts).max()) < MOST_PACKED
        add = add_packed if many and out.dtype == np.float32 else add_shares
        columns = (events.t, events.x, events.y, events.p, cuts)
        add(*columns, times, span, width, width * height, self.polarity == "signed", flat)
        return out, Account(total, binned, {"tail": total - binned} if binned < total else {})
