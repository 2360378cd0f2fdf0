"""Averaged time surfaces (HATS): what happened around an event shortly before it, averaged over cells of pixels."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import numpy as np

from eventbench.errors import BadSpec, UnknownName
from eventbench.events import Events
from eventbench.representations._arguments import array_to_fill, positive, whole
from eventbench.representations._hats_kernels import FINE, draw_surfaces, sort_by_list
from eventbench.representations.base import Account, Documentation, PictureRow, Representation

DECAYS = ("exp", "lin")
MOST_KEPT = 2**16


class AveragedTimeSurface(Representation, frozen=True, forbid_unknown_fields=True):
    """Surfaces side by side (1, P, cells_y * S, cells_x * S), float32: S = 2 * radius + 1; P = 2, 0 OFF, 1 ON.

    Sironi, Brambilla, Bourdis, Lagorce and Benosman, "HATS: Histograms of Averaged Time Surfaces for Robust Event-based
    Object Classification", CVPR 2018, section 4. The sensor is cut into cells of K x K pixels (less at the right and
    lower edge). The local memory time surface of an event e_i of polarity p, in cell C, is at z = (dy, dx), both from
    -radius to radius,

        T_i(z, p) = sum of exp(-(t_i - t_j) / tau)
                    over events e_j of C and p at pixel x_i + z with t_i - window <= t_j < t_i,

    and a cell's surface is h_C(z, p) = 1 / |C| * sum of T_i(z, p) over its events e_i, |C| being their number, of both
    polarities. It stands as rows cy*S ... and columns cx*S ... of the array, so neighbours on the sensor are neighbours
    there, and a mirrored recording gives a mirrored array (where cells divide the sensor). With cells counted by row

        array.reshape(2, cells_y, S, cells_x, S).transpose(1, 3, 0, 2, 4).reshape(-1, 2, S, S)

    is (cells, P, S, S), the layout of tonic. Every event is binned. A cell without events has zeros.

    `tonic=True` is `tonic.transforms.ToAveragedTimesurface(surface_size=S)`, equal to the rounding of its float32 sums:
    an event counts itself (1 at the centre); events before it in the recording count also at the same time; a surface is
    divided by the events of its own polarity; times are rounded to float32 (by up to 16 us after 2**28 us, four
    minutes); no window starts before time 0; and decay="lin", 1 - age / (3 tau), goes on below 0, where ours stops at 0.
    (Events of unsigned x and y have tonic look right and down only, since differences to the left wrap: give it signed
    ones.)

    Work is at most about 2 * S * S additions an event, however many share a window.

    Parameters
    ----------
    cell_size : K, pixels
    radius : pixels around an event, at least 0; S must not be over cell_size
    time_window_us : how far back an event sees (us)
    tau_us : time constant (us); the default, the paper's, all but counts events
    decay : "exp", or "lin": max(0, 1 - age / (3 tau)), as tonic has beside the paper's
    tonic : the definition of tonic instead of the paper's
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        shape="(1, P, cells_y * S, cells_x * S)",
        definition=(
            "around every event, the decayed times of its neighbours' events before it; averaged over the "
            "events of each cell of K x K pixels"
        ),
        paper=(
            "Sironi, Brambilla, Bourdis, Lagorce, Benosman: HATS: Histograms of Averaged Time Surfaces for "
            "Robust Event-based Object Classification, CVPR 2018"
        ),
        modes="tonic: `tonic = true`",
        deviations=(
            "by default the paper's formula: an event does not count itself, and a surface is divided by the "
            "events of both polarities"
        ),
        picture=(
            PictureRow(
                title="averaged_time_surface: cell_size 10, radius 3 (default): (1, 2, 49, 49)",
                all_events=True,
                separate=True,
            ),
        ),
        shows=(
            "Seven by seven surfaces, one for each cell of 10 x 10 pixels, side by side as the cells are on "
            "the sensor. A surface shows where, around an event of its cell, others came in the 100 ms before "
            "it: it leans as the edge did that ran over the cell."
        ),
    )

    cell_size: int = 10
    radius: int = 3
    time_window_us: int = 100_000
    tau_us: float = 1e9
    decay: str = "exp"
    tonic: bool = False

    def __post_init__(self) -> None:
        where, force = "averaged_time_surface", msgspec.structs.force_setattr
        if self.decay not in DECAYS:
            raise UnknownName("decay", str(self.decay), DECAYS, where=where)
        force(self, "cell_size", whole("cell_size", self.cell_size, where, most=65536))
        force(self, "radius", whole("radius", self.radius, where, least=0, most=32767))
        force(self, "time_window_us", whole("time_window_us", self.time_window_us, where, most=2**40))
        force(self, "tau_us", positive("tau_us", self.tau_us, where))
        if not isinstance(self.tonic, bool):
            raise BadSpec(f"tonic is {self.tonic!r}", where=where, allowed="true or false")
        if self.side > self.cell_size:
            raise BadSpec(
                f"surfaces of {self.side} pixels (radius {self.radius}) are wider than cells of {self.cell_size}",
                where=where,
                allowed=f"a radius up to {(self.cell_size - 1) // 2}",
            )

    @property
    def side(self) -> int:
        """S, the pixels of a surface's side."""
        return 2 * self.radius + 1

    @property
    def array_dtype(self) -> np.dtype:
        """float32."""
        return np.dtype(np.float32)

    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(1, P, cells_y * S, cells_x * S) for a (width, height) sensor."""
        columns, rows = (-(-side // self.cell_size) for side in sensor)
        return 1, 2, rows * self.side, columns * self.side

    def apply(self, events: Events, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """The surfaces (1, P, cells_y * S, cells_x * S) and the account of the events. Sums are kept in float64.

        `out`, when given, is overwritten and returned; it must be writeable, C-contiguous and of the result's shape
        and dtype. Raises BadSpec for a wrong `out` and for an array of over 16 GiB.
        """
        out = array_to_fill(out, self.shape(events.sensor), self.array_dtype, "averaged_time_surface")
        (width, height), linear, window = events.sensor, self.decay == "lin", self.time_window_us
        if linear and not self.tonic:
            window = int(min(window, 3 * self.tau_us))  # at this age the weight reaches 0
        columns = (events.t, events.x, events.y, events.p)
        ts, xs, ys, starts = sort_by_list(*columns, self.tonic, self.cell_size, width, height)
        fine, coarse = _weights(window, self.tau_us, linear)
        weighting = (window, self.tonic, self.tau_us, linear, fine, coarse, self.cell_size, self.side)
        draw_surfaces(ts, xs, ys, starts, *weighting, out[0])
        return out, Account(len(events), len(events), {})


def _weights(window: int, tau: float, linear: bool) -> tuple[np.ndarray, np.ndarray]:
    """Two small tables whose products are the weights of all whole ages up to `window`, or up to about 16 s."""
    if linear:
        return np.empty(0), np.empty(0)  # as quick to compute
    step = 1 << int(FINE)
    coarse = np.exp(-step / tau * np.arange(min(window // step + 1, MOST_KEPT)))
    return np.exp(-np.arange(step) / tau), coarse
