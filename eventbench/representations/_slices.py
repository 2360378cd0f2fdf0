"""Where a recording is cut into frames: every rule gives adjacent slices of events, found by binary search."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit

from eventbench.errors import BadEvents, BadSpec


@njit(cache=True, nogil=True)
def cut_every(t, width, cuts):  # type: ignore[no-untyped-def]
    """Fill cuts[k] with the index of the first event at or after t[0] + k * width."""
    low = 0
    # Unsigned differences are exact for any two int64, also where a signed one would wrap.
    start = np.uint64(t[0])
    for k in range(cuts.shape[0]):
        edge = np.uint64(k) * np.uint64(width)
        high = t.shape[0]
        while low < high:
            middle = (low + high) >> 1
            if np.uint64(t[middle]) - start < edge:
                low = middle + 1
            else:
                high = middle
        cuts[k] = low
    return cuts


@njit(cache=True, nogil=True)
def cut_greedily(t, duration):  # type: ignore[no-untyped-def]
    """A frame starts at the first event not yet in one and holds all within `duration` of it, inclusive."""
    cuts = [0]
    low, total = 0, t.shape[0]
    while low < total:
        start = np.uint64(t[low])
        high = total
        while low < high:
            middle = (low + high) >> 1
            if np.uint64(t[middle]) - start <= np.uint64(duration):
                low = middle + 1
            else:
                high = middle
        cuts.append(low)
    return np.array(cuts)


def span_of(t: np.ndarray) -> int:
    """Time from the first event to the last, as a Python int, which no span of two int64 overflows."""
    return int(t[-1]) - int(t[0]) if len(t) else 0


def _tonic_time(t: np.ndarray, bins: int, most: int) -> np.ndarray:
    _limit(bins, most)
    cuts = np.zeros(bins + 1, np.int64)
    if len(t):
        cut_every(t, np.uint64(span_of(t) // bins), cuts)
    return cuts


def _time(t: np.ndarray, bins: int, most: int) -> np.ndarray:
    cuts = _tonic_time(t, bins, most)
    cuts[bins] = len(t)
    return cuts


def _spikingjelly_time(t: np.ndarray, bins: int, most: int) -> np.ndarray:
    if not len(t):
        raise BadEvents("no events: SpikingJelly cannot split them by time", fix="use split_by='time'")
    cuts, width = _tonic_time(t, bins, most), span_of(t) // bins
    if (empty := np.diff(cuts) == 0).any():
        at = int(np.argmax(empty))
        start = int(t[0]) + at * width
        raise BadEvents(
            f"no event in frame {at} of {bins} ({start} us, {width} us long): SpikingJelly cannot split this",
            fix="use split_by='time', which leaves such a frame empty, or fewer bins",
        )
    cuts[bins] = len(t)
    return cuts


def _tonic_count(t: np.ndarray, bins: int, most: int) -> np.ndarray:
    _limit(bins, most)
    return np.arange(bins + 1, dtype=np.int64) * (len(t) // bins)


def _count(t: np.ndarray, bins: int, most: int) -> np.ndarray:
    cuts = _tonic_count(t, bins, most)
    cuts[bins] = len(t)
    return cuts


def _duration(t: np.ndarray, duration: int, most: int) -> np.ndarray:
    frames = span_of(t) // duration + 1
    _limit(frames, most)
    cuts = np.zeros(frames + 1, np.int64)
    if len(t):
        cut_every(t, np.uint64(duration), cuts[:frames])
    cuts[frames] = len(t)
    return cuts


def _tonic_duration(t: np.ndarray, duration: int, most: int) -> np.ndarray:
    # tonic divides in float64; so does this, so that the number of frames agrees for any span.
    frames = max(int(np.floor(np.float64(span_of(t) - duration) / duration) + 1), 1)
    _limit(frames, most)
    cuts = np.zeros(frames + 1, np.int64)
    if len(t):
        cut_every(t, np.uint64(duration), cuts)
    return cuts


def _spikingjelly_duration(t: np.ndarray, duration: int, most: int) -> np.ndarray:
    if not len(t):
        raise BadEvents(
            "no events: SpikingJelly cannot split them by duration", fix="use split_by='duration'"
        )
    cuts: np.ndarray = cut_greedily(t, duration)
    _limit(len(cuts) - 1, most)
    return cuts


def _spikingjelly2_duration(t: np.ndarray, duration: int, most: int) -> np.ndarray:
    frames = -(-span_of(t) // duration)
    if not frames:
        raise BadEvents(
            "no two events apart in time: SpikingJelly cannot split them by duration",
            fix="use split_by='duration'",
        )
    _limit(frames, most)
    cuts = np.empty(frames + 1, np.int64)
    cut_every(t, np.uint64(duration), cuts[:frames])
    cuts[frames] = len(t)
    return cuts


def _tonic_events(t: np.ndarray, each: int, most: int) -> np.ndarray:
    each = min(each, max(len(t), 1))
    frames = max(len(t) // each, 1)
    _limit(frames, most)
    return np.minimum(np.arange(frames + 1, dtype=np.int64) * each, len(t))


def _limit(frames: int, most: int) -> None:
    if frames > most:
        raise BadSpec(
            f"{frames} frames",
            allowed=f"{most}, which are 16 GiB on this sensor",
            fix="fewer bins, or longer frames, or fewer events at a time",
        )


class FixedCut(NamedTuple):
    """A rule with a fixed number of frames: cut by time or by count, the remainder in the last frame or left out."""

    by_time: bool
    takes_rest: bool


# The rules of which frames can be cut wherever only times and counts are at hand: in a kernel, or on a GPU.
FIXED_CUTS = {
    "time": FixedCut(by_time=True, takes_rest=True),
    "count": FixedCut(by_time=False, takes_rest=True),
    "tonic_time": FixedCut(by_time=True, takes_rest=False),
    "tonic_count": FixedCut(by_time=False, takes_rest=False),
    "spikingjelly_time": FixedCut(by_time=True, takes_rest=True),  # which refuses a frame without events
    "spikingjelly_count": FixedCut(by_time=False, takes_rest=True),
}


class Rule(NamedTuple):
    """A way to cut: `cut(t, parameter, most)` gives int64 (T + 1,), frame k holding events cuts[k] to cuts[k+1].

    `needs` names the field of Frames that is its parameter. Events from cuts[T] on are in no frame.
    """

    needs: str
    cut: Callable[[np.ndarray, int, int], np.ndarray]


RULES = {
    "time": Rule("bins", _time),
    "count": Rule("bins", _count),
    "duration": Rule("duration_us", _duration),
    "tonic_time": Rule("bins", _tonic_time),
    "tonic_count": Rule("bins", _tonic_count),
    "tonic_duration": Rule("duration_us", _tonic_duration),
    "tonic_events": Rule("events_per_frame", _tonic_events),
    "spikingjelly_time": Rule("bins", _spikingjelly_time),
    "spikingjelly_count": Rule("bins", _count),
    "spikingjelly_duration": Rule("duration_us", _spikingjelly_duration),
    "spikingjelly2_duration": Rule("duration_us", _spikingjelly2_duration),
}
