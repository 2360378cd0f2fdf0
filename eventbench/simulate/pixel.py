"""A DVS pixel: log intensity in, ON and OFF events out (ESIM, Rebecq et al. 2018; v2e, Hu et al. 2021).

A pixel remembers a reference level. It fires ON when its log intensity reaches reference + threshold_on and OFF
when it falls to reference - threshold_off (reaching counts: >= and <=), and the reference moves to the level that
was crossed. Between two rendered frames log intensity runs on a straight line, and each crossing is timed on it.

* Thresholds: each pixel has its own pair, threshold + mismatch * z with z nearly normal (see `random.normal`),
  fixed by `camera`, and never under a tenth of the nominal threshold.
* Reference: first frame + n_on * threshold_on - n_off * threshold_off with whole n, so rounding does not add up.
* Refractory period: an event sooner than `refractory_us` after its pixel's last one is dropped, but the reference
  moves all the same, as in ESIM. (In v2e the reference waits and the change is fired later.)
* Leak: the reference sinks at threshold_on * leak_rate_hz per second, so a pixel at rest fires ON at that rate; each
  pixel begins at a random place in its cycle, so that the leak does not fire everywhere at once. As in v2e.
* Shot noise: a Poisson process per pixel of `shot_rate_hz`, ON or OFF with equal chance; subject to the refractory
  period. Differs from v2e: the rate does not depend on intensity, and the reference stays where it is.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

import msgspec
import numpy as np
from numba import njit

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.simulate.arithmetic import log
from eventbench.simulate.random import bits, key_of, normal, uniform

Positive = Annotated[float, msgspec.Meta(gt=0.0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0.0)]


class Pixel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one kind of pixel is like. Thresholds and mismatch are in natural log intensity.

    Raises BadSpec where a value is negative or not finite, or a threshold is 0.
    """

    threshold_on: Positive = 0.25
    threshold_off: Positive = 0.25
    mismatch: NotNegative = 0.02
    refractory_us: Annotated[int, msgspec.Meta(ge=0)] = 500
    leak_rate_hz: NotNegative = 0.1
    shot_rate_hz: NotNegative = 0.2

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            least = "above 0" if name.startswith("threshold") else "0 or more"
            if not (math.isfinite(value) and (value > 0 or (value == 0 and least == "0 or more"))):
                raise BadSpec(f"{name} is {value}", where="pixel", allowed=f"a finite number, {least}")


def thresholds(pixel: Pixel, height: int, width: int, camera: int | str) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's ON and OFF threshold, two float64 (height, width): the fixed pattern of this camera."""
    shape = (height, width)
    return (
        _spread(pixel.threshold_on, pixel.mismatch, key_of(camera, "threshold_on"), *shape),
        _spread(pixel.threshold_off, pixel.mismatch, key_of(camera, "threshold_off"), *shape),
    )


def dvs_events(
    log_intensity: Any, times_us: Any, pixel: Pixel, *, camera: int | str, noise: int | str
) -> Events:
    """The events of a rendered scene, sorted by t, then y, then x.

    `log_intensity` is (frames, height, width), natural log; `times_us` the frames' times, whole microseconds,
    increasing. Event times are rounded to the nearest microsecond. `camera` seeds the threshold mismatch, `noise`
    the leak's start and the shot noise. The same input gives the same bytes anywhere.

    Raises BadSpec when the shapes do not fit, times do not increase or an intensity is not finite.

    >>> ramp = np.linspace(0.0, 1.0, 5).reshape(5, 1, 1)
    >>> quiet = Pixel(mismatch=0.0, leak_rate_hz=0.0, shot_rate_hz=0.0)
    >>> dvs_events(ramp, np.arange(5) * 1000, quiet, camera=0, noise=0).t.tolist()
    [1000, 2000, 3000, 4000]
    """
    signal = np.ascontiguousarray(log_intensity, np.float64)
    times = np.asarray(times_us)
    _check(signal, times)
    height, width = signal.shape[1:]
    on, off = thresholds(pixel, height, width, camera)
    t, place, p = _fire(
        signal,
        times.astype(np.int64),
        on,
        off,
        pixel.refractory_us,
        float(pixel.leak_rate_hz),
        float(pixel.shot_rate_hz),
        key_of(noise, "leak"),
        key_of(noise, "shot"),
    )
    order = np.lexsort((place, t))
    t, place, p = t[order], place[order], p[order]
    x, y = (place % width).astype(np.uint16), (place // width).astype(np.uint16)
    return Events.trusted(t, x, y, p, (width, height))


def _check(signal: np.ndarray, times: np.ndarray) -> None:
    where = "dvs_events"
    if signal.ndim != 3 or 0 in signal.shape or times.shape != signal.shape[:1]:
        raise BadSpec(
            f"log_intensity is {signal.shape} and times_us {times.shape}",
            where=where,
            allowed="(frames, height, width) and (frames,), none of them 0",
        )
    if times.dtype.kind not in "iu" or not (times[1:] > times[:-1]).all():
        raise BadSpec("times_us do not increase", where=where, allowed="whole, increasing microseconds")
    if not np.isfinite(signal).all():
        raise BadSpec(
            "log_intensity is not finite everywhere", where=where, fix="add a dark level before the log"
        )


@njit(cache=True, nogil=True)
def _spread(nominal, mismatch, key, height, width):  # type: ignore[no-untyped-def]
    spread = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            spread[y, x] = max(nominal + mismatch * normal(key, y * width + x), 0.1 * nominal)
    return spread


@njit(cache=True, nogil=True)
def _wait(key, n, rate_hz):  # type: ignore[no-untyped-def]
    """The n-th waiting time of a Poisson process, microseconds."""
    return -log(1.0 - uniform(key, n)) * (1e6 / rate_hz)


@njit(cache=True, nogil=True)
def _grown(column):  # type: ignore[no-untyped-def]
    longer = np.empty(2 * len(column), column.dtype)
    longer[: len(column)] = column
    return longer


@njit(cache=True, nogil=True)
def _fire(signal, times, on, off, refractory_us, leak_hz, shot_hz, leak_key, shot_key):  # type: ignore[no-untyped-def]
    """Times, places (y * width + x) and polarities; in time order within each pixel."""
    frames, height, width = signal.shape
    pixels = height * width
    begin = times[0]
    out_t, out_place, out_p = np.empty(4096, np.int64), np.empty(4096, np.int64), np.empty(4096, np.uint8)
    fired = 0
    base, before = np.empty((height, width)), signal[0].copy()
    upper, lower = np.empty((height, width)), np.empty((height, width))
    ups, downs = np.zeros((height, width), np.int64), np.zeros((height, width), np.int64)
    shots, next_shot = np.zeros((height, width), np.int64), np.full((height, width), np.inf)
    last = np.full((height, width), begin - refractory_us)
    for y in range(height):
        for x in range(width):
            place = y * width + x
            base[y, x] = signal[0, y, x]
            if leak_hz > 0.0:
                base[y, x] -= uniform(leak_key, place) * on[y, x]
            upper[y, x] = base[y, x] + on[y, x]
            lower[y, x] = base[y, x] - off[y, x]
            if shot_hz > 0.0:
                next_shot[y, x] = begin + _wait(shot_key, place, shot_hz)
    for frame in range(1, frames):
        start, end = times[frame - 1], times[frame]
        leaked = leak_hz * (end - begin) * 1e-6  # in ON thresholds; raising the signal sinks the reference
        for y in range(height):
            for x in range(width):
                s0, s1 = before[y, x], signal[frame, y, x] + leaked * on[y, x]
                before[y, x] = s1
                while True:
                    rising, falling = s1 >= upper[y, x], s1 <= lower[y, x]
                    crossing = np.inf
                    if rising or falling:
                        level = upper[y, x] if rising else lower[y, x]
                        part = (level - s0) / (s1 - s0) if s1 != s0 else 1.0
                        crossing = start + min(max(part, 0.0), 1.0) * (end - start)
                    place = y * width + x
                    if next_shot[y, x] < end and next_shot[y, x] <= crossing:
                        moment = next_shot[y, x]
                        count = shots[y, x]
                        # The lowest bit of a draw takes no part in its waiting time.
                        polarity = bits(shot_key, place + pixels * count) & np.uint64(1)
                        shots[y, x] = count + 1
                        next_shot[y, x] += _wait(shot_key, place + pixels * (count + 1), shot_hz)
                    elif rising or falling:
                        moment = crossing
                        polarity = np.uint64(1) if rising else np.uint64(0)
                        ups[y, x] += 1 if rising else 0
                        downs[y, x] += 0 if rising else 1
                        ref = base[y, x] + ups[y, x] * on[y, x]
                        upper[y, x] = base[y, x] + (ups[y, x] + 1) * on[y, x] - downs[y, x] * off[y, x]
                        lower[y, x] = ref - (downs[y, x] + 1) * off[y, x]
                    else:
                        break
                    whole = np.int64(math.floor(moment + 0.5))
                    if whole - last[y, x] < refractory_us:
                        continue
                    last[y, x] = whole
                    if fired == len(out_t):
                        out_t, out_place, out_p = _grown(out_t), _grown(out_place), _grown(out_p)
                    out_t[fired], out_place[fired], out_p[fired] = whole, place, polarity
                    fired += 1
    return out_t[:fired], out_place[:fired], out_p[:fired]
