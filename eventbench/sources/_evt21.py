"""EVT 2.1, of which faery has no decoder: 64-bit words of up to 32 pixels of a row that fired at one time.

Bits 60 to 63 are the type: 0 OFF, 1 ON (bits 54 to 59 the low 6 bits of time, 43 to 53 x of the first pixel, 32 to 42 y,
0 to 31 which of the 32 pixels from x on fired), 8 the high 28 bits of time (bits 32 to 59). Prophesee, "EVT 2.1 format".
"""

from __future__ import annotations

import numpy as np
from numba import njit

TIME_HIGH = 8
WRAP = 1 << 27  # a step back of the 28-bit time by more than half its range is a wrap


@njit(cache=True, nogil=True)
def _count(words):  # type: ignore[no-untyped-def]
    events = 0
    for word in words:
        if word >> np.uint64(60) <= np.uint64(1):
            pixels = np.uint32(word & np.uint64(0xFFFFFFFF))
            while pixels:
                pixels &= pixels - np.uint32(1)
                events += 1
    return events


@njit(cache=True, nogil=True)
def _fill(words, t, x, y, p):  # type: ignore[no-untyped-def]
    n, high, loops = 0, np.int64(-1), np.int64(0)
    for word in words:
        kind = word >> np.uint64(60)
        if kind == np.uint64(TIME_HIGH):
            new = np.int64(word >> np.uint64(32) & np.uint64(0xFFFFFFF))
            loops += high - new > WRAP
            high = new
        elif kind <= np.uint64(1) and high >= 0:
            now = (loops << 34) + (high << 6) + np.int64(word >> np.uint64(54) & np.uint64(63))
            first = word >> np.uint64(43) & np.uint64(0x7FF)
            row = word >> np.uint64(32) & np.uint64(0x7FF)
            for i in range(32):
                if word >> np.uint64(i) & np.uint64(1):
                    t[n], x[n], y[n], p[n] = now, first + np.uint64(i), row, kind
                    n += 1
    return n


def decode_evt21(payload: bytes, legacy: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Columns t, x, y, p of the words; those before the first time are left out. `legacy`: the halves are swapped."""
    words = np.frombuffer(payload, "<u8").astype(np.uint64)
    if legacy:
        words = words >> np.uint64(32) | words << np.uint64(32)
    most = _count(words)
    t, x, y, p = (np.empty(most, kind) for kind in (np.int64, np.uint16, np.uint16, np.uint8))
    n = _fill(words, t, x, y, p)
    return t[:n], x[:n], y[:n], p[:n]
