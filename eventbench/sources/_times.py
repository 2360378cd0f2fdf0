"""Times of cameras' 32-bit clocks: a clock that wrapped, told from steps back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

HALF = 2**31


def unwrapped(clock: np.ndarray) -> tuple[np.ndarray, int]:
    """int64 times of a 32-bit clock, and how often it wrapped: a step back of over half its range.

    Where one event alone lies over half the range ahead of the one before it and of the one after it, its time is damaged
    and no clock wrapped: it stays as it is, and the step back after it is one.
    """
    t = clock.astype(np.int64)
    steps = np.diff(t)
    wraps = steps < -HALF
    if wraps.any():
        wraps[1:] &= steps[:-1] <= HALF
        t[1:] += np.cumsum(wraps) * 2**32
    return t, int(wraps.sum())


class Clock(NamedTuple):
    """A 32-bit clock between two events: how often it wrapped, its time at the event before (-1: there is none), and
    whether that lies over half the range ahead of the one before it.
    """

    wraps: int = 0
    last: int = -1
    ahead: bool = False


def unwrapped_after(clock: np.ndarray, before: Clock) -> tuple[np.ndarray, Clock]:
    """As `unwrapped`, of times that go on from earlier ones, and how the clock stands after them."""
    if not len(clock):
        return clock.astype(np.int64), before
    t = clock.astype(np.int64)
    steps = np.diff(t, prepend=before.last if before.last >= 0 else t[0])
    after = Clock(before.wraps, int(t[-1]), bool(steps[-1] > HALF))
    if steps.min() >= -HALF:
        t += before.wraps * 2**32
        return t, after
    wraps = steps < -HALF
    wraps[1:] &= steps[:-1] <= HALF
    wraps[0] &= not before.ahead
    t += (before.wraps + np.cumsum(wraps)) * 2**32
    return t, after._replace(wraps=before.wraps + int(wraps.sum()))
