"""The inner loop for rows of whole numbers: straight to columns of events, until a row needs more than that."""

from __future__ import annotations

import numpy as np
from numba import njit

T, X, Y, P, NONE = range(5)  # what a column of the text is
PER_S, MOST_PLACES = 1_000_000, 6
MOST_DIGITS = 18  # of which any fit into 63 bits
MOST_US = 1 << 51  # times in seconds below this many us come out of a float64 as they were written
# As uint64, or each index is looked at for being negative, which takes half as long again.
_NONE, _ONE, _DIGITS = np.uint64(0), np.uint64(1), np.uint64(MOST_DIGITS)
_ZERO, _LINE_FEED = np.uint8(48), np.uint8(10)


@njit(cache=True, nogil=True)
def rows_of_whole_numbers(data, start, stop, separator, slots, seconds, last, t, x, y, p):  # type: ignore[no-untyped-def]  # noqa: C901  # calls per byte cost more
    """(rows, place of the first row that was not taken, largest x, largest y, whether a time has a fraction).

    data : uint8 (bytes,), a line feed at stop - 1
    slots : uint8 (columns,), T, X, Y, P or NONE of each column of the text
    seconds : whether times are in seconds; else they are whole
    t, x, y, p : int64, uint16, uint16, uint8 (rows at most,), which are filled; no time may be earlier than `last`
    """
    at, end, columns, most = np.uint64(start), np.uint64(stop), np.uint64(len(slots)), np.uint64(len(t))
    begin, row, wide, high, fractions = at, _NONE, np.int64(0), np.int64(0), False
    while at < end and row < most:
        begin = at
        if data[at] == 10 or data[at] == 35 or data[at] == 37:  # an empty line, # or %
            while data[at] != 10:
                at += _ONE
            at += _ONE
            continue
        column = _NONE
        while column < columns:
            value, first = np.int64(0), at
            digit = np.uint8(data[at] - _ZERO)
            while digit <= 9:
                value = value * 10 + np.int64(digit)
                at += _ONE
                digit = np.uint8(data[at] - _ZERO)
            if at == first or at - first > _DIGITS:
                break
            if slots[column] == T:
                if seconds:
                    whole = value
                    value, places, at = _with_fraction(data, at, value)
                    if places > MOST_PLACES or whole > MOST_US // PER_S:
                        break
                    fractions |= value != whole * PER_S
                if value < last:
                    break
                last = value
                t[row] = value
            elif slots[column] == X:
                wide = max(wide, value)
                x[row] = value
            elif slots[column] == Y:
                high = max(high, value)
                y[row] = value
            elif slots[column] == P:
                if value > 1:
                    break
                p[row] = value
            column += _ONE
            at += _ONE if column == columns and data[at] == 13 else _NONE
            if data[at] != (separator if column < columns else _LINE_FEED):
                break
            at += _ONE
        else:
            row += _ONE
            continue
        break
    else:
        begin = at
    return np.int64(row), np.int64(begin), wide, high, fractions


@njit(cache=True, nogil=True)
def _with_fraction(data, at, value):  # type: ignore[no-untyped-def]
    """Millionths of the number whose whole part was read, how many places it has, and where it ends."""
    places = np.int64(0)
    if data[at] == 46:
        at += _ONE
        digit = np.uint8(data[at] - _ZERO)
        while digit <= 9 and places <= MOST_PLACES:
            value = value * 10 + np.int64(digit)
            places += 1
            at += _ONE
            digit = np.uint8(data[at] - _ZERO)
    for _ in range(places, MOST_PLACES):
        value *= 10
    return value, places, at
