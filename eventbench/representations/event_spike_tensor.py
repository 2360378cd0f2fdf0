"""Event spike tensor: a measurement of every event, spread over sampling times by a fixed kernel."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import numpy as np

from eventbench.errors import BadSpec, UnknownName
from eventbench.events import Events
from eventbench.representations._arguments import array_to_fill, positive, whole
from eventbench.representations._edges import cut_at
from eventbench.representations._est_kernels import spread_between, spread_causal
from eventbench.representations._slices import span_of
from eventbench.representations.base import Account, Documentation, PictureRow, Representation

MEASURES = ("timestamp", "count", "polarity")
KERNELS = ("trilinear", "exponential", "alpha")


class EventSpikeTensor(Representation, frozen=True, forbid_unknown_fields=True):
    """Sums of kernels (bins, P, H, W), float32: P = 2, channel 0 OFF, channel 1 ON, sampled at `bins` times.

    Gehrig, Loquercio, Derpanis and Scaramuzza, "End-to-End Learning of Representations for Asynchronous Event-Based Data",
    ICCV 2019, section 3: with t* = (t - t0) / max(t_last - t0, 1), pixel (x, y) of polarity p has at sampling time t_n

        V(x, y, p, t_n) = sum over events e of the pixel and polarity of f(e) * k(t_n - t_e),

    ============= ======================= ============= ================================================================
    measure       f(e)                    kernel        k(s), sampled at
    ============= ======================= ============= ================================================================
    "timestamp"   t*                      "trilinear"   max(0, 1 - (bins - 1) |s|), s in t*, at t* = n / (bins - 1);
    "count"       1                                     1 for every event where bins is 1
    "polarity"    -1 OFF, +1 ON           "exponential" exp(-s / tau_us) for s >= 0, at t0 + (n+1) / bins of the span
                                          "alpha"       e * s / tau_us * exp(-s / tau_us) for s >= 0, at the same times
    ============= ======================= ============= ================================================================

    (n from 0 to bins - 1). A causal kernel sampled at t0 would see nothing, hence its times are the ends of equal
    parts. The paper's tensor of 2 * bins channels is `array.transpose(1, 0, 2, 3).reshape(1, 2 * bins, H, W)`.

    The paper also learns k as a small network, starting from the trilinear kernel. That needs training with the model
    behind it and is no part of this: what is here is the paper's fixed kernels. Every event is binned, also one whose
    measurement or kernel is 0 (the first event's timestamp). A recording without events gives zeros.

    Parameters
    ----------
    bins : T, the number of sampling times
    kernel : "trilinear", "exponential" or "alpha"
    measure : "timestamp", "count" or "polarity"
    tau_us : time constant (us) of "exponential" and "alpha", which need it
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        shape="(bins, P, H, W)",
        definition=(
            "at sampling times, the sum over a pixel's events of a measurement (time, count or polarity) "
            "times a kernel of the time between"
        ),
        paper=(
            "Gehrig, Loquercio, Derpanis, Scaramuzza: End-to-End Learning of Representations for Asynchronous "
            "Event-Based Data, ICCV 2019"
        ),
        deviations=(
            "the paper's fixed kernels; its learned kernel needs training with the model behind it and is not "
            "here"
        ),
        picture=(
            PictureRow(
                title=(
                    "event_spike_tensor: bins 8, kernel trilinear, measure timestamp (default): (8, 2, 64, "
                    "64)"
                ),
                parameters={"bins": 8},
                caption="time {0}",
            ),
            PictureRow(
                title=(
                    "event_spike_tensor: bins 8, kernel alpha, measure count, tau_us 50,000: (8, 2, 64, 64)"
                ),
                parameters={"bins": 8, "kernel": "alpha", "measure": "count", "tau_us": 50000.0},
                caption="time {0}",
            ),
        ),
        shows=(
            "Above, the measurement is an event's time, so later events weigh more and the first plane is "
            "dark. Below, each event is a bump that rises after it and fades with tau."
        ),
    )

    bins: int = 9
    kernel: str = "trilinear"
    measure: str = "timestamp"
    tau_us: float | None = None

    def __post_init__(self) -> None:
        where = "event_spike_tensor"
        for name, known in (("kernel", KERNELS), ("measure", MEASURES)):
            if getattr(self, name) not in known:
                raise UnknownName(name, str(getattr(self, name)), known, where=where)
        msgspec.structs.force_setattr(self, "bins", whole("bins", self.bins, where))
        if self.kernel != "trilinear":
            msgspec.structs.force_setattr(self, "tau_us", positive("tau_us", self.tau_us, where))
        elif self.tau_us is not None:
            raise BadSpec(
                f"tau_us is {self.tau_us!r}, which kernel='trilinear' does not use",
                where=where,
                fix="leave it out, or take kernel='exponential' or 'alpha'",
            )

    @property
    def array_dtype(self) -> np.dtype:
        """float32."""
        return np.dtype(np.float32)

    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(bins, P, H, W) for a (width, height) sensor."""
        width, height = sensor
        return self.bins, 2, height, width

    def apply(self, events: Events, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """The tensor (bins, P, H, W) and the account of the events. Sums are kept in float64.

        `out`, when given, is overwritten and returned; it must be writeable, C-contiguous and of the result's shape
        and dtype. Raises BadSpec for a wrong `out` and for an array of over 16 GiB.
        """
        out = array_to_fill(out, self.shape(events.sensor), self.array_dtype, "event_spike_tensor")
        if not len(events):
            out[...] = 0
            return out, Account(0, 0, {})
        width, height = events.sensor
        span, bins, columns = span_of(events.t), self.bins, (events.t, events.x, events.y, events.p)
        flat, measure = out.reshape(bins, -1), MEASURES.index(self.measure)
        if self.kernel == "trilinear":
            gaps = max(bins - 1, 1)
            cuts = cut_at(events.t, [-(-n * max(span, 1) // gaps) for n in range(bins)])
            spread_between(*columns, cuts, float(max(span, 1)), measure, width, width * height, flat)
        else:
            cuts = cut_at(events.t, [0, *(n * span // bins + 1 for n in range(1, bins))])
            alpha = self.kernel == "alpha"
            spread_causal(
                *columns, cuts, float(span), self.tau_us, alpha, measure, width, width * height, flat
            )
        return out, Account(len(events), len(events), {})
