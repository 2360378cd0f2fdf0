"""EVT 3.0: 16-bit words, each of which changes one part of the state (time, row, column, polarity) or is an event.

Bits 12 to 15 are the type: 0 row, 2 an event at a column, 3 the first column of a vector, 4 and 5 which of the next 12
and 8 columns fired, 6 the low 12 bits of time, 8 the high 12. Prophesee, "EVT 3.0 format". faery's decoder is not taken: it
knows a wrap of the 24-bit time by 4095 before 0 only, and keeps the time still where a file lacks one of the two.
"""

from __future__ import annotations

import numpy as np
from numba import njit

ROW, COLUMN, BASE, TWELVE, EIGHT, LOW, HIGH = 0, 2, 3, 4, 5, 6, 8
# A step back of the high time by more is a wrap; by less, a word out of place, which is passed over. So is a step
# forward by nearly all of it, from just after a wrap to just before it.
HALF = 1 << 11
NEARLY_ALL = (1 << 12) - 2
MOST = 65535


@njit(cache=True, nogil=True)
def _count(words):  # type: ignore[no-untyped-def]
    events = 0
    for word in words:
        kind = word >> 12
        if kind == COLUMN:
            events += 1
        elif kind in (TWELVE, EIGHT):
            fired = word & (0xFFF if kind == TWELVE else 0xFF)
            while fired:
                fired &= fired - 1
                events += 1
    return events


@njit(cache=True, nogil=True)
def _fill(words, t, x, y, p):  # type: ignore[no-untyped-def]  # noqa: C901  # a branch a type of word
    n, now, loops = 0, np.int64(0), np.int64(0)
    high, low = np.int64(-1), np.int64(0)
    row = column = on = np.int64(0)
    for word in words:
        kind, value = word >> 12, np.int64(word & 0xFFF)
        if kind == ROW:
            row = value & 0x7FF
        elif kind in (COLUMN, BASE):
            column, on = value & 0x7FF, value >> 11
            if kind == COLUMN and high >= 0:
                t[n], x[n], y[n], p[n] = now, column, row, on
                n += 1
        elif kind in (TWELVE, EIGHT):
            wide = 12 if kind == TWELVE else 8
            for i in range(wide):
                if value >> i & 1 and high >= 0:
                    t[n], x[n], y[n], p[n] = now, min(column + i, MOST), row, on
                    n += 1
            column += wide
        elif kind == LOW:
            low = value
            if high >= 0:
                now = max(now, loops << 24 | high << 12 | low)
        elif kind == HIGH and value != high:
            if high < 0 or (value > high and value - high < NEARLY_ALL) or high - value > HALF:
                loops += value < high
                high, low = value, np.int64(0)
            now = max(now, loops << 24 | high << 12 | low)
    return n


def decode_evt3(payload: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Columns t, x, y, p of the words; events before the first high time are left out, as their time is not known."""
    words = np.frombuffer(payload, "<u2").astype(np.uint16, copy=False)
    most = _count(words)
    t, x, y, p = (np.empty(most, kind) for kind in (np.int64, np.uint16, np.uint16, np.uint8))
    n = _fill(words, t, x, y, p)
    return t[:n], x[:n], y[:n], p[:n]
