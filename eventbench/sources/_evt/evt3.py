"""EVT 3.0: 16-bit words, each of which changes one part of the state (time, row, column, polarity) or is an event.

Bits 12 to 15 are the type: 0 row, 2 an event at a column, 3 the first column of a vector, 4 and 5 which of the next 12
and 8 columns fired, 6 the low 12 bits of time, 8 the high 12. Prophesee, "EVT 3.0 format". faery's decoder is not taken: it
knows a wrap of the 24-bit time by 4095 before 0 only, and keeps the time still where a file lacks one of the two. How a
damaged or lost word of time is told from a wrap or a restart: `_evt.clock`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

ROW, COLUMN, BASE, TWELVE, EIGHT, LOW, TIME_HIGH = 0, 2, 3, 4, 5, 6, 8
LOW_BITS, HIGH_BITS = 12, 12
HALF = 1 << 11
MOST = 65535


@njit(cache=True, nogil=True, inline="always")
def _ones(bits):  # type: ignore[no-untyped-def]
    """How many of 12 bits are set."""
    pairs = bits - (bits >> 1 & 0x555)
    fours = (pairs & 0x333) + (pairs >> 2 & 0x333)
    return (fours + (fours >> 4) + (fours >> 8)) & 0xF


@njit(cache=True, nogil=True)
def count(words, highs):  # type: ignore[no-untyped-def]
    """(events, words of the high time), which are copied into `highs`."""
    events, n = 0, 0
    for word in words:
        kind = word >> 12
        if kind == COLUMN:
            events += 1
        elif kind in (TWELVE, EIGHT):
            events += _ones(np.int64(word & (0xFFF if kind == TWELVE else 0xFF)))
        elif kind == TIME_HIGH:
            highs[n] = word & 0xFFF
            n += 1
    return events, n


@njit(cache=True, nogil=True)
def fill(words, high, advance, kinds, t, x, y, p):  # type: ignore[no-untyped-def]  # noqa: C901  # a branch a type of word
    """(events written, those before the first time, those after a damaged word).

    The low part is 0 from where the high part changes until a word says it.
    """
    n, early, touched, since, k = 0, 0, 0, 0, -1
    base, low, left, damaged = np.int64(-1), np.int64(0), np.int64(0), False
    row = column = on = np.int64(0)
    for word in words:
        kind, value = word >> 12, np.int64(word & 0xFFF)
        if kind == ROW:
            row = value & 0x7FF
        elif kind in (COLUMN, BASE):
            column, on = value & 0x7FF, value >> 11
            if kind == COLUMN and base >= 0:
                t[n], x[n], y[n], p[n] = base << 12 | low, column, row, on
                n += 1
            elif kind == COLUMN:
                early += 1
        elif kind in (TWELVE, EIGHT):
            wide = 12 if kind == TWELVE else 8
            for i in range(wide):
                if value >> i & 1 and base >= 0:
                    t[n], x[n], y[n], p[n] = base << 12 | low, min(column + i, MOST), row, on
                    n += 1
                elif value >> i & 1:
                    early += 1
            column += wide
        elif kind == LOW:
            if damaged and left > 0 and value + HALF < low:
                base, left = base + 1, left - 1
            low = value
        elif kind == TIME_HIGH:
            k += 1
            if high[k] != base:
                base, low = high[k], np.int64(0)
            touched += n - since if damaged else 0
            left, damaged, since = advance[k], kinds[k] == 1, n
    return n, early, touched + (n - since if damaged else 0)
