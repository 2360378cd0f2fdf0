"""Times of cameras' clocks: a clock that began anew, and events that are out of order."""

from __future__ import annotations

import numpy as np

# What to do about times that step back, for formats that have the parameter `sort`.
SORTABLE = {"time_runs_backwards": "if the file is sound, set sort = true in [source]"}


def unwrapped(clock: np.ndarray) -> tuple[np.ndarray, int]:
    """int64 times of a 32-bit clock, and how often it began anew: a step back of over half its range."""
    t = clock.astype(np.int64)
    began_anew = np.diff(t) < -(2**31)
    if len(t) > 1:
        t[1:] += np.cumsum(began_anew) * 2**32
    return t, int(began_anew.sum())


def sorted_by_time(
    t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The columns in order of time (stable); as they are where no time steps back."""
    if not (np.diff(t) < 0).any():
        return t, x, y, p
    order = np.argsort(t, kind="stable")
    return t[order], x[order], y[order], p[order]
