"""Times of cameras' 32-bit clocks: a clock that wrapped, told from steps back."""

from __future__ import annotations

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
