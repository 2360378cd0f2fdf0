"""EVT 2.1, of which faery has no decoder: 64-bit words of up to 32 pixels of a row that fired at one time.

Bits 60 to 63 are the type: 0 OFF, 1 ON (bits 54 to 59 the low 6 bits of time, 43 to 53 x of the first pixel, 32 to 42 y,
0 to 31 which of the 32 pixels from x on fired), 8 the high 28 bits of time (bits 32 to 59). Prophesee, "EVT 2.1 format".
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
        kind = word >> np.uint64(60)
        if kind <= np.uint64(1):
            pixels = np.uint32(word & np.uint64(0xFFFFFFFF))
            while pixels:
                pixels &= pixels - np.uint32(1)
                events += 1
        elif kind == np.uint64(TIME_HIGH):
            highs[n] = word >> np.uint64(32) & np.uint64(0xFFFFFFF)
            n += 1
    return events, n


@njit(cache=True, nogil=True)
def fill(words, high, advance, kinds, t, x, y, p):  # type: ignore[no-untyped-def]
    """(events written, those before the first time, those after a damaged word)."""
    n, early, touched, k = 0, 0, 0, -1
    now, last, left, damaged = np.int64(-1), np.int64(0), np.int64(0), False
    for word in words:
        kind = word >> np.uint64(60)
        if kind == np.uint64(TIME_HIGH):
            k += 1
            now, left, damaged = high[k], advance[k], kinds[k] == 1
        elif kind <= np.uint64(1):
            low = np.int64(word >> np.uint64(54) & np.uint64(63))
            if damaged and low < last and left > 0:
                now, left = now + 1, left - 1
            last, start = low, n
            first = word >> np.uint64(43) & np.uint64(0x7FF)
            row = word >> np.uint64(32) & np.uint64(0x7FF)
            for i in range(32):
                if word >> np.uint64(i) & np.uint64(1):
                    if now < 0:
                        early += 1
                        continue
                    t[n], x[n], y[n], p[n] = now << 6 | low, first + np.uint64(i), row, kind
                    n += 1
            touched += n - start if damaged else 0
    return n, early, touched


def whole_words(payload: bytes, legacy: bool) -> np.ndarray:
    """uint64 (words,). `legacy`: the halves are swapped in the file."""
    words = np.frombuffer(payload, "<u8").astype(np.uint64, copy=False)
    return words >> np.uint64(32) | words << np.uint64(32) if legacy else words
