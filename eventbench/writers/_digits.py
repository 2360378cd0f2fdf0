"""Numbers as ASCII digits, rows of four of them: the kernel of the text writer, which formats a row in tens of nanoseconds."""

from __future__ import annotations

import numpy as np
from numba import njit

MOST_BYTES = (
    64  # of a row: 20 digits, a sign, a point and three zeros; two numbers of 5, one of 2; separators
)
TIME, COLUMN, ROW, POLARITY = range(4)
MINUS, POINT, ZERO, NEWLINE = 45, 46, 48, 10


@njit(cache=True, nogil=True, inline="always")
def _put(value, at, out):  # type: ignore[no-untyped-def]
    """The digits of a number of 0 or more, from `at` on. Returns where the next byte goes."""
    end, rest = at + 1, value
    while rest >= 10:
        rest //= 10
        end += 1
    k = end - 1
    while k >= at:
        tens = value // 10
        out[k] = ZERO + (value - 10 * tens)
        value = tens
        k -= 1
    return end


@njit(cache=True, nogil=True, inline="always")
def _put_time(t, decimals, zeros, at, out):  # type: ignore[no-untyped-def]
    """A time with so many of its digits behind the point, or so many zeros more."""
    if t < 0:
        out[at] = MINUS
        at, t = at + 1, -t
    if decimals == 0:
        end = _put(t, at, out)
        if t != 0:
            for k in range(zeros):
                out[end + k] = ZERO
            end += zeros
        return end
    scale = np.int64(1)
    for _ in range(decimals):
        scale *= 10
    whole = t // scale
    at = _put(whole, at, out)
    out[at] = POINT
    part = t - whole * scale
    k = at + decimals
    while k > at:
        tens = part // 10
        out[k] = ZERO + (part - 10 * tens)
        part = tens
        k -= 1
    return at + decimals + 1


@njit(cache=True, nogil=True)
def rows(t, x, y, p, order, separator, decimals, zeros, signed, start, out):  # type: ignore[no-untyped-def]
    """Write rows from event `start` on into `out` while there is room. Returns (bytes, the first event not written).

    `order` (4,) names the columns by TIME, COLUMN, ROW and POLARITY; `signed` writes OFF as -1.
    """
    at, i, room = 0, start, out.shape[0] - MOST_BYTES
    while i < t.shape[0] and at <= room:
        for k in range(4):
            if order[k] == TIME:
                at = _put_time(t[i], decimals, zeros, at, out)
            elif order[k] == COLUMN:
                at = _put(np.int64(x[i]), at, out)
            elif order[k] == ROW:
                at = _put(np.int64(y[i]), at, out)
            else:
                if signed and p[i] == 0:
                    out[at] = MINUS
                    at += 1
                out[at] = ZERO + (1 if signed else p[i])
                at += 1
            out[at] = separator if k < 3 else NEWLINE
            at += 1
        i += 1
    return at, i
