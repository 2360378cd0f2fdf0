"""A model of a DVS pixel: from log intensity to ON and OFF events (ESIM, Rebecq et al. 2018; v2e, Hu et al. 2021).

A pixel has a reference level. It fires ON when its log intensity reaches reference + threshold_on and OFF when it
falls to reference - threshold_off (both inclusive: >= and <=), and the reference moves to the level that was crossed.
Between two rendered frames log intensity is interpolated linearly, which gives the time of each crossing.

* Thresholds: each pixel has its own pair, threshold + mismatch * z with z nearly normal (see `random.normal`),
  determined by `camera`, and at least a tenth of the nominal threshold.
* Reference: first frame + n_on * threshold_on - n_off * threshold_off with whole n, so rounding errors do not add up.
* Refractory period: an event sooner than `refractory_us` after the pixel's last one is dropped, but the reference
  still moves, as in ESIM. (In v2e the reference waits and the event is fired later.)
* Leak: the reference falls by threshold_on * leak_rate_hz per second, so a pixel at rest fires ON at that rate. Each
  pixel starts at a random phase, so that they do not all fire at once. As in v2e.
* Shot noise: a Poisson process per pixel of `shot_rate_hz`, ON or OFF with equal probability; subject to the
  refractory period. Differs from v2e: the rate does not depend on intensity, and the reference does not change.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, NamedTuple

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
    """The parameters of the pixels of a sensor. Thresholds and mismatch are in natural log intensity.

    Raises BadSpec if a value is negative or not finite, or a threshold is 0.
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
            positive = name.startswith("threshold")
            if not (math.isfinite(value) and (value > 0 or (value == 0 and not positive))):
                allowed = "above 0" if positive else "0 or more"
                raise BadSpec(f"{name} is {value}", where="pixel", allowed=f"a finite number, {allowed}")


def thresholds(pixel: Pixel, height: int, width: int, camera: int | str) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's ON and OFF threshold, two float64 (height, width): the fixed pattern of this camera."""
    shape = (height, width)
    return (
        _thresholds_of(pixel.threshold_on, pixel.mismatch, key_of(camera, "threshold_on"), *shape),
        _thresholds_of(pixel.threshold_off, pixel.mismatch, key_of(camera, "threshold_off"), *shape),
    )


def dvs_events(
    log_intensity: Any, times_us: Any, pixel: Pixel, *, camera: int | str, noise: int | str
) -> Events:
    """The events of a rendered scene, sorted by t, then y, then x.

    `log_intensity` is (frames, height, width), natural log; `times_us` the frames' times, whole microseconds,
    increasing. Event times are rounded to the nearest microsecond. `camera` seeds the threshold mismatch, `noise`
    the phase of the leak and the shot noise. The same input gives the same bytes on every machine.

    Raises BadSpec if the shapes do not match, times do not increase or an intensity is not finite.

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
    t, address, p = _fire(
        signal,
        times.astype(np.int64),
        on,
        off,
        pixel.refractory_us,
        _Noise(
            float(pixel.leak_rate_hz),
            float(pixel.shot_rate_hz),
            key_of(noise, "leak"),
            key_of(noise, "shot"),
        ),
    )
    order = np.lexsort((address, t))
    t, address, p = t[order], address[order], p[order]
    x, y = (address % width).astype(np.uint16), (address // width).astype(np.uint16)
    return Events.trusted(t, x, y, p, (width, height))


def _check(signal: np.ndarray, times: np.ndarray) -> None:
    where = "dvs_events"
    if signal.ndim != 3 or 0 in signal.shape or times.shape != signal.shape[:1]:
        raise BadSpec(
            f"log_intensity is {signal.shape} and times_us {times.shape}",
            where=where,
            allowed="(frames, height, width) and (frames,), all of 1 or more",
        )
    if times.dtype.kind not in "iu" or not (times[1:] > times[:-1]).all():
        raise BadSpec("times_us do not increase", where=where, allowed="whole, increasing microseconds")
    if not np.isfinite(signal).all():
        raise BadSpec(
            "log_intensity is not finite everywhere", where=where, fix="add a dark level before the log"
        )


@njit(cache=True, nogil=True)
def _thresholds_of(nominal, mismatch, key, height, width):  # type: ignore[no-untyped-def]
    """float64 (height, width): the nominal threshold plus the deviation of each pixel."""
    pattern = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            pattern[y, x] = max(nominal + mismatch * normal(key, y * width + x), 0.1 * nominal)
    return pattern


@njit(cache=True, nogil=True)
def _waiting_time_us(key, n, rate_hz):  # type: ignore[no-untyped-def]
    """The n-th waiting time of a Poisson process, microseconds."""
    return -log(1.0 - uniform(key, n)) * (1e6 / rate_hz)


@njit(cache=True, nogil=True)
def _doubled(column):  # type: ignore[no-untyped-def]
    """A column of twice the length that begins with this one."""
    doubled = np.empty(2 * len(column), column.dtype)
    doubled[: len(column)] = column
    return doubled


class _Noise(NamedTuple):
    """Rates and keys of the leak and of shot noise."""

    leak_hz: float
    shot_hz: float
    leak_key: np.uint64
    shot_key: np.uint64


@njit(cache=True, nogil=True)
def _first_references(first_frame, on, noise):  # type: ignore[no-untyped-def]
    """The log intensities of the first frame; with a leak, lower by a random fraction of a threshold."""
    reference = first_frame.copy()
    if noise.leak_hz > 0.0:
        for address in range(reference.size):
            reference.flat[address] -= uniform(noise.leak_key, address) * on.flat[address]
    return reference


@njit(cache=True, nogil=True)
def _first_shots(begin, height, width, noise):  # type: ignore[no-untyped-def]
    """Times of the pixels' first shot noise events, float64 (height, width); inf without shot noise."""
    times = np.full((height, width), np.inf)
    if noise.shot_hz > 0.0:
        for address in range(times.size):
            times.flat[address] = begin + _waiting_time_us(noise.shot_key, address, noise.shot_hz)
    return times


@njit(cache=True, nogil=True)
def _levels(first_reference, ups, downs, on, off):  # type: ignore[no-untyped-def]
    """Log intensities of the next ON and OFF crossing, after `ups` and `downs` crossings."""
    upper = first_reference + (ups + 1) * on - downs * off
    lower = first_reference + ups * on - (downs + 1) * off
    return upper, lower


@njit(cache=True, nogil=True)
def _crossing_time(s0, s1, upper, lower, start, end):  # type: ignore[no-untyped-def]
    """The time at which log intensity, s0 at `start` and s1 at `end`, crosses one of the levels; inf if it does not."""
    if lower < s1 < upper:
        return np.inf
    level = upper if s1 >= upper else lower
    fraction = (level - s0) / (s1 - s0) if s1 != s0 else 1.0
    return start + min(max(fraction, 0.0), 1.0) * (end - start)


@njit(cache=True, nogil=True)
def _fire(signal, times, on, off, refractory_us, noise):  # type: ignore[no-untyped-def]
    """Times, addresses (y * width + x) and polarities of all events; in time order within each pixel."""
    frames, height, width = signal.shape
    begin, pixels = times[0], height * width
    out_t, out_address, out_p = np.empty(4096, np.int64), np.empty(4096, np.int64), np.empty(4096, np.uint8)
    count = 0
    reference, previous = _first_references(signal[0], on, noise), signal[0].copy()
    upper, lower = reference + on, reference - off
    ups, downs = np.zeros((height, width), np.int64), np.zeros((height, width), np.int64)
    shots, next_shot = np.zeros((height, width), np.int64), _first_shots(begin, height, width, noise)
    last = np.full((height, width), begin - refractory_us)
    for frame in range(1, frames):
        start, end = times[frame - 1], times[frame]
        # In ON thresholds; the leak raises the signal, which is the same as a falling reference.
        leaked = noise.leak_hz * (end - begin) * 1e-6
        for address in range(pixels):
            y, x = address // width, address % width
            s0, s1 = previous[y, x], signal[frame, y, x] + leaked * on[y, x]
            previous[y, x] = s1
            while s1 >= upper[y, x] or s1 <= lower[y, x] or next_shot[y, x] < end:
                moment = _crossing_time(s0, s1, upper[y, x], lower[y, x], start, end)
                if next_shot[y, x] < end and next_shot[y, x] <= moment:
                    moment = next_shot[y, x]
                    # The lowest bit of a draw does not affect its waiting time.
                    polarity = bits(noise.shot_key, address + pixels * shots[y, x]) & np.uint64(1)
                    shots[y, x] += 1
                    draw = address + pixels * shots[y, x]
                    next_shot[y, x] += _waiting_time_us(noise.shot_key, draw, noise.shot_hz)
                else:
                    polarity = np.uint64(s1 >= upper[y, x])
                    ups[y, x] += s1 >= upper[y, x]
                    downs[y, x] += s1 < upper[y, x]
                    upper[y, x], lower[y, x] = _levels(
                        reference[y, x], ups[y, x], downs[y, x], on[y, x], off[y, x]
                    )
                time_us = np.int64(math.floor(moment + 0.5))
                if time_us - last[y, x] >= refractory_us:
                    last[y, x] = time_us
                    if count == len(out_t):
                        out_t, out_address, out_p = _doubled(out_t), _doubled(out_address), _doubled(out_p)
                    out_t[count], out_address[count], out_p[count] = time_us, address, polarity
                    count += 1
    return out_t[:count], out_address[:count], out_p[:count]
