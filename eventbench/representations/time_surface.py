"""Time surface: how long ago each pixel last saw an event of each polarity, decaying with time."""

from __future__ import annotations

import sys
from typing import ClassVar

import msgspec
import numpy as np

from eventbench.errors import BadSpec, UnknownName
from eventbench.events import Events
from eventbench.representations._arguments import MOST_BYTES, array_to_fill, positive, whole
from eventbench.representations._slices import RULES
from eventbench.representations._surface_kernels import fill_surfaces
from eventbench.representations.base import Account, Documentation, PictureRow, Representation

SPLITS = {"time": "bins", "duration": "dt_us", "tonic_duration": "dt_us"}
DECAYS = ("exp", "lin")
_LOG2E = 1.4426950408889634


class TimeSurface(Representation, frozen=True, forbid_unknown_fields=True):
    """Decay since the latest event of each pixel and polarity (T, P, H, W), float32: P = 0 OFF, 1 ON.

    Slice k is seen from its end, t_ref; with t_last the time of the latest event of a cell in slices 0 to k, it is

        exp(-(t_ref - t_last) / tau)            decay="exp" (Lagorce et al., HOTS, TPAMI 2017; Sironi et al., CVPR 2018)
        max(0, 1 - (t_ref - t_last) / tau)      decay="lin"

    and 0 where there was none yet. With t0 and t_end the times of the recording's first and last event,

    ================= =============================================== ============================= ===================
    split_by          events of slice k (as in Frames)                t_ref of slice k              T
    ================= =============================================== ============================= ===================
    "time"            t0 + k*w <= t < t0 + (k+1)*w, the last takes    t0 + (k+1)*w; of the last     bins
                      the remainder; w = (t_end - t0) // bins         t_end
    "duration"        t0 + k*d <= t < t0 + (k+1)*d, d = dt_us         t0 + (k+1)*d                  (t_end-t0) // d + 1
    "tonic_duration"  the same, but the unfinished last one is lost   t0 + (k+1)*d                  (t_end-t0) // d, or 1
    ================= =============================================== ============================= ===================

    Values are within 1e-6 of the formula. "tonic_duration" with decay="exp" is `tonic.transforms.ToTimesurface`, which
    gives float64, within the same 1e-6 (for |t| < 2**53 us); a pixel without events is 0 there as well (exp of minus
    infinity). Where tonic raises, for no events, this gives one slice of zeros, or `bins` of them.

    All events of a slice count as binned, those that a later one of their cell has hidden too; events that
    "tonic_duration" leaves out are lost with reason "tail".

    Parameters
    ----------
    tau_us : time constant, us, over 0
    bins : T, for split_by="time"
    dt_us : length of a slice, whole us, for the other two
    decay : "exp" or "lin"
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        shape="(T, P, H, W)",
        definition=(
            "exp(-(t_ref - t_last) / tau) of each pixel's and polarity's latest event, at the end of each "
            "slice"
        ),
        paper=(
            "Lagorce, Orchard, Galluppi, Shi, Benosman: HOTS: A Hierarchy of Event-Based Time-Surfaces for "
            "Pattern Recognition, IEEE TPAMI 2017"
        ),
        modes='tonic: `split_by = "tonic_duration"`, `decay = "exp"`',
        deviations="float32, within 1e-6 of the formula; by default the unfinished last slice is kept",
        picture=(
            PictureRow(
                title="time_surface: bins 8, tau_us 50,000 (default), decay exp: (8, 2, 64, 64)",
                parameters={"bins": 8},
                caption="slice {0}",
                scale="unit",
            ),
        ),
        shows=(
            "Bright is recent: the arm draws a wake that fades with tau behind it, and the pixels that have "
            "not fired yet are dark."
        ),
    )

    tau_us: float = 50_000.0
    bins: int | None = 16
    split_by: str = "time"
    dt_us: int | None = None
    decay: str = "exp"

    def __post_init__(self) -> None:
        if self.split_by not in SPLITS:
            raise UnknownName("split_by", str(self.split_by), SPLITS, where="time_surface")
        if self.decay not in DECAYS:
            raise UnknownName("decay", str(self.decay), DECAYS, where="time_surface")
        msgspec.structs.force_setattr(self, "tau_us", positive("tau_us", self.tau_us, "time_surface"))
        needs = SPLITS[self.split_by]
        for name, unset in (("bins", 16), ("dt_us", None)):
            value = getattr(self, name)
            if name == needs:
                msgspec.structs.force_setattr(self, name, whole(name, value, "time_surface"))
            elif value is not None and value != unset:
                raise BadSpec(
                    f"{name} is {value!r}, which split_by={self.split_by!r} does not use",
                    where="time_surface",
                    fix=f"leave it out, or set {needs}",
                )

    @property
    def array_dtype(self) -> np.dtype:
        """float32."""
        return np.dtype(np.float32)

    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(T, P, H, W) for a (width, height) sensor. Raises BadSpec where T depends on the recording."""
        if SPLITS[self.split_by] != "bins":
            raise BadSpec(
                f"split_by={self.split_by!r} has no fixed number of slices",
                where="time_surface",
                allowed="time",
            )
        width, height = sensor
        return int(self.bins or 0), 2, height, width

    def apply(self, events: Events, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """The surfaces (T, P, H, W) and the account of the events.

        `out`, when given, is overwritten and returned; it must be writeable, C-contiguous and of the result's
        shape and dtype. Raises BadSpec for a wrong `out` and for surfaces of over 16 GiB.
        """
        width, height = events.sensor
        cells = 2 * height * width
        length = getattr(self, SPLITS[self.split_by])
        cuts = RULES[self.split_by].cut(events.t, length, max(1, MOST_BYTES // (4 * cells)))
        steps = len(cuts) - 1
        out = array_to_fill(out, (steps, 2, height, width), self.array_dtype, "time_surface")
        ends = np.arange(1, steps + 1, dtype=np.float64)
        if self.split_by == "time":
            ends *= events.duration_us // steps
            ends[-1] = events.duration_us
        else:
            ends *= length
        linear = self.decay == "lin"
        # Finite for any tau: an infinite rate would make nothing of an event at t_ref itself.
        rate = min((1 if linear else _LOG2E) / self.tau_us, sys.float_info.max)
        columns = (events.t, events.x, events.y, events.p, cuts)
        latest = np.empty(cells, np.float64)
        fill_surfaces(*columns, ends, rate, linear, width, width * height, latest, out.reshape(steps, cells))
        total, binned = len(events), int(cuts[-1])
        return out, Account(total, binned, {"tail": total - binned} if binned < total else {})
