"""Kernels of `Measure`: one pass over a piece of a recording each."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def follow_time(t, last, longest, tick, moments):  # type: ignore[no-untyped-def]
    """(longest, tick, moments) after the times of a piece, int64 (events,), that go on from `last`.

    longest : the longest time between two events
    tick : the greatest common divisor of all such times, 0 where there is none
    moments : how often an event is later than the one before it
    """
    for i in range(t.shape[0]):
        if t[i] == last:
            continue
        gap = np.uint64(t[i]) - np.uint64(last)  # unsigned, for it may exceed int64
        last = t[i]
        moments += 1
        longest = max(longest, gap)
        if tick == 0:
            tick = gap
        elif tick > 1 and gap % tick:
            while gap:
                tick, gap = gap, tick % gap
    return longest, tick, moments


@njit(cache=True, nogil=True)
def tally_pixels(t, x, y, p, width, last, moment, table):  # type: ignore[no-untyped-def]
    """(moment, events ON, events that equal an earlier one in t, x, y and p), of a piece that goes on from the time `last`.

    table : int64 (pixels, 2), of each pixel its events, and the moment of its last one: a multiple of 4, plus 1 where an
        OFF and plus 2 where an ON event of it was at that moment
    """
    on = repeated = np.int64(0)
    for i in range(t.shape[0]):
        if t[i] != last:
            last = t[i]
            moment += 4
        cell = np.int64(y[i]) * width + np.int64(x[i])
        table[cell, 0] += 1
        polarity = np.int64(p[i])
        on += polarity
        seen = table[cell, 1]
        if seen < moment:
            seen = moment
        bit = 1 << polarity
        repeated += seen >> polarity & 1
        table[cell, 1] = seen | bit
    return moment, on, repeated
