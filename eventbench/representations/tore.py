"""TORE volumes: the logarithmic ages of each pixel's most recent events, as a queue of fixed length holds them."""

from __future__ import annotations

import math
from typing import ClassVar

import msgspec
import numpy as np
from numba import njit

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.representations._arguments import array_to_fill, whole
from eventbench.representations._slices import RULES, span_of
from eventbench.representations.base import Account, Documentation, PictureRow, Representation


class Tore(Representation, frozen=True, forbid_unknown_fields=True):
    """Ages of events (T, 2 * depth, H, W), float32: channel p * depth + j is the j-th most recent of polarity p.

    Baldwin, Liu, Almatrafi, Asari and Hirakawa, "Time-Ordered Recent Event (TORE) Volumes for Event Cameras", IEEE
    TPAMI 2022. Each pixel and polarity (0 OFF, 1 ON) keeps the times of its `depth` most recent events, first in, first out.
    At time s an event of time t_j has the value

        max(log(min(s - t_j, tau_max) + 1) - log(tau_min + 1), 0)        (times in us),

    so that 0 is "within tau_min" (below which the sensor's times say nothing) and
    log(tau_max + 1) - log(tau_min + 1) is "over tau_max ago"; a place in the queue no event has taken yet is at that.

    It is sampled at the end of each of `bins` equal times, cut as `Frames` does with split_by="time": with
    w = (t_last - t0) // bins, step k sees every event before s = t0 + (k+1)*w, and the last step all, at s = t_last. A queue runs on
    from step to step. An event that others push out of the queue before any step sees it is lost, reason "displaced".
    A recording without events gives the value of an empty place everywhere. (The authors' program puts ON first.)

    Parameters
    ----------
    bins : T, the number of steps
    depth : events each pixel and polarity remembers, K in the paper
    tau_min_us, tau_max_us : the ages (us) between which values differ; defaults are those of the authors' program
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        shape="(T, 2 * depth, H, W)",
        definition=(
            "the logarithm of the ages of each pixel's and polarity's K most recent events, from within "
            "tau_min to over tau_max"
        ),
        paper=(
            "Baldwin, Liu, Almatrafi, Asari, Hirakawa: Time-Ordered Recent Event (TORE) Volumes for Event "
            "Cameras, IEEE TPAMI 2022"
        ),
        deviations="OFF comes first, where the authors' program puts ON first",
        picture=(
            PictureRow(
                title="tore: bins 1, depth 4 (default): (1, 8, 64, 64), the youngest bright",
                caption="event {1} back",
                scale="unit",
                invert=True,
            ),
        ),
        shows=(
            "Drawn with young events bright. The first panel of a line is each pixel's latest event, the "
            "fourth its fourth latest: pixels that fired less often are dark there."
        ),
    )

    bins: int = 1
    depth: int = 4
    tau_min_us: int = 150
    tau_max_us: int = 5_000_000

    def __post_init__(self) -> None:
        force = msgspec.structs.force_setattr
        force(self, "bins", whole("bins", self.bins, "tore"))
        force(self, "depth", whole("depth", self.depth, "tore", most=255))
        force(self, "tau_min_us", whole("tau_min_us", self.tau_min_us, "tore", least=0))
        force(self, "tau_max_us", whole("tau_max_us", self.tau_max_us, "tore"))
        if self.tau_max_us <= self.tau_min_us:
            raise BadSpec(
                f"tau_max_us is {self.tau_max_us}",
                where="tore",
                allowed=f"over tau_min_us, {self.tau_min_us}",
            )

    @property
    def array_dtype(self) -> np.dtype:
        """float32."""
        return np.dtype(np.float32)

    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(T, 2 * depth, H, W) for a (width, height) sensor."""
        width, height = sensor
        return self.bins, 2 * self.depth, height, width

    def apply(self, events: Events, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """The ages (T, 2 * depth, H, W) and the account of the events.

        `out`, when given, is overwritten and returned; it must be writeable, C-contiguous and of the result's shape
        and dtype. Raises BadSpec for a wrong `out` and for an array of over 16 GiB.
        """
        out = array_to_fill(out, self.shape(events.sensor), self.array_dtype, "tore")
        width, height = events.sensor
        cuts = RULES["time"].cut(events.t, self.bins, self.bins)
        displaced = 0
        if len(events):
            first, span = int(events.t[0]), span_of(events.t)
            times = [first + (k + 1) * (span // self.bins) for k in range(self.bins)]
            displaced = _remember(
                events.t,
                events.x,
                events.y,
                events.p,
                cuts,
                np.array([*times[:-1], first + span], np.int64),
                width,
                self.tau_min_us,
                self.tau_max_us,
                out.reshape(self.bins, 2, self.depth, height * width),
            )
        else:
            out[...] = math.log1p(self.tau_max_us) - math.log1p(self.tau_min_us)
        total = len(events)
        return out, Account(total, total - displaced, {"displaced": int(displaced)} if displaced else {})


@njit(cache=True, nogil=True)
def _remember(t, x, y, p, cuts, times, width, tau_min, tau_max, volume):  # type: ignore[no-untyped-def]
    """Fill volume (T, P, depth, pixels) after events cuts[k] to cuts[k+1], at times[k]; how many no step saw."""
    steps, polarities, depth, area = volume.shape
    queue = np.empty((polarities * area, depth), np.int64)  # numbers of events, the most recent first
    held = np.zeros(polarities * area, np.uint8)
    low, top = np.log1p(np.float64(tau_min)), np.log1p(np.float64(tau_max))
    displaced = 0
    for k in range(steps):
        for e in range(cuts[k], cuts[k + 1]):
            cell = np.int64(p[e]) * area + np.int64(y[e]) * width + np.int64(x[e])
            recent, full = queue[cell], np.int64(held[cell])
            if full == depth:
                displaced += recent[depth - 1] >= cuts[k]
                full -= 1
            for j in range(full, 0, -1):
                recent[j] = recent[j - 1]
            recent[0] = e
            held[cell] = full + 1
        now = np.uint64(times[k])
        for polarity in range(polarities):
            for j in range(depth):
                plane = volume[k, polarity, j]
                for pixel in range(area):
                    cell = polarity * area + pixel
                    value = top
                    if j < held[cell]:
                        # Unsigned: the age of any two int64 fits.
                        age = now - np.uint64(t[queue[cell, j]])
                        value = top if age >= np.uint64(tau_max) else np.log1p(np.float64(age))
                    plane[pixel] = max(value - low, 0.0)
    return displaced
