"""EVT 2.0: 32-bit words, an event each, or the high part of the time.

Bits 28 to 31 are the type: 0 OFF, 1 ON (bits 22 to 27 the low 6 bits of time, 11 to 21 x, 0 to 10 y), 8 the high 28 bits of
time (bits 0 to 27), 10 a trigger, 14 and 15 others. Prophesee, "EVT 2.0 format".
"""

from __future__ import annotations

import numpy as np
from numba import njit

TIME_HIGH = 8
LOW_BITS, HIGH_BITS = 6, 28


@njit(cache=True, nogil=True)
def count(words, highs):  # type: ignore[no-untyped-def]
    """(events, words of the high time), which are copied into `highs`."""
    events, n = 0, 0
    for word in words:
        kind = word >> np.uint32(28)
        events += kind <= 1
        if kind == TIME_HIGH:
            highs[n] = word & np.uint32(0xFFFFFFF)
            n += 1
    return events, n


@njit(cache=True, nogil=True)
def fill(words, high, advance, kinds, t, x, y, p):  # type: ignore[no-untyped-def]
    """(events written, those before the first time, those after a damaged word)."""
    n, early, touched, k = 0, 0, 0, -1
    now, last, left, damaged = np.int64(-1), np.int64(0), np.int64(0), False
    for word in words:
        kind = word >> np.uint32(28)
        if kind <= 1:
            if now < 0:
                early += 1
                continue
            low = np.int64(word >> np.uint32(22) & np.uint32(63))
            if damaged:
                touched += 1
                if low < last and left > 0:
                    now, left = now + 1, left - 1
            last = low
            t[n] = now << 6 | low
            x[n] = word >> np.uint32(11) & np.uint32(0x7FF)
            y[n], p[n] = word & np.uint32(0x7FF), kind
            n += 1
        elif kind == TIME_HIGH:
            k += 1
            now, left, damaged = high[k], advance[k], kinds[k] == 1
    return n, early, touched
