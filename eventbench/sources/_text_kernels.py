"""The inner loop of the reader of text: rows of numbers to whole numbers and powers of ten, a column each."""

from __future__ import annotations

import numpy as np
from numba import njit

HARD = 127  # a token that needs more than 53 bits: its value is the place where it begins
WORD = 126  # ON, OFF, True, False: the value is 1 or 0
GOOD, NOT_A_NUMBER, OTHER_COUNT = 0, 1, 2
_MOST = np.uint64(922337203685477579)  # the next digit may still fit into 63 bits
_EXACT = np.uint64(1 << 53)


@njit(cache=True, nogil=True)
def parse(data, separator, values, powers):  # type: ignore[no-untyped-def]  # noqa: C901  # calls per byte cost more
    """(rows, what is wrong, its line from 0, its column from 0, its place, place of the last whole row's end).

    `data` is uint8 and ends with a line feed, `separator` a byte or 32 for blanks and tabs. values int64 and powers int8
    (columns, rows at most): a number is value / 10 ** power.
    """
    columns, size = values.shape[0], len(data)
    at = row = line = end = 0
    while at < size:
        column, start = 0, at
        while True:
            while data[at] == 32 or data[at] == 9 or data[at] == 13 or data[at] == 34 or data[at] == 39:
                at += 1
            byte = data[at]
            if byte == 35 or byte == 37:  # a comment
                while data[at] != 10:
                    at += 1
                byte = data[at]
            if byte == 10:
                break
            if column == columns:
                return row, OTHER_COUNT, line, column, start, end
            good, at = _number(data, at, values, powers, column, row)
            if not good:
                return row, NOT_A_NUMBER, line, column, at, end
            column += 1
            byte = data[at]
            while byte == 32 or byte == 9 or byte == 13 or byte == 34 or byte == 39:
                at += 1
                byte = data[at]
            if byte == separator:
                at += 1
            elif byte != 10 and byte != 35 and byte != 37 and separator != 32:
                return row, NOT_A_NUMBER, line, column - 1, at, end
        at += 1
        if column == columns:
            row += 1
        elif column:
            return row, OTHER_COUNT, line, column, start, end
        line += 1
        end = at
    return row, GOOD, line, 0, at, end


@njit(cache=True, nogil=True)
def _number(data, at, values, powers, column, row):  # type: ignore[no-untyped-def]  # noqa: C901  # one state machine
    """Whether a number or word begins at `at`, and where it ends (where it begins, if it is none)."""
    begin = at
    negative = data[at] == 45
    if negative or data[at] == 43:
        at += 1
    mantissa, zeros, fraction, digits = np.uint64(0), 0, 0, 0
    hard, point = False, False
    while True:
        byte = data[at]
        if 48 <= byte <= 57:
            digits += 1
            fraction += point
            if byte == 48 and point:
                zeros += 1  # counts only if a digit other than zero follows
            else:
                for _ in range(zeros + 1):
                    if mantissa >= _MOST:
                        hard = True
                    else:
                        mantissa *= np.uint64(10)
                mantissa += np.uint64(byte - 48)
                zeros = 0
        elif byte == 46 and not point:
            point = True
        else:
            break
        at += 1
    if not digits:
        return _word(data, begin, values, powers, column, row)
    power = fraction - zeros
    if data[at] == 101 or data[at] == 69:
        at += 1
        down = data[at] == 45
        if down or data[at] == 43:
            at += 1
        exponent, first = 0, at
        while 48 <= data[at] <= 57:
            exponent = min(10 * exponent + data[at] - 48, 10_000)
            at += 1
        if at == first:
            return False, begin
        power += exponent if down else -exponent
    byte = data[at]
    if not _ends_a_token(byte):
        return False, begin
    if hard or power < -22 or power > 22 or (power != 0 and mantissa > _EXACT):
        if mantissa == 0 and not hard:
            values[column, row], powers[column, row] = 0, 0
        else:
            values[column, row], powers[column, row] = begin, HARD
    else:
        whole = np.int64(mantissa)
        values[column, row], powers[column, row] = -whole if negative else whole, power
    return True, at


@njit(cache=True, nogil=True)
def _ends_a_token(byte):  # type: ignore[no-untyped-def]
    """Whether it is a blank, a separator, a quote or the beginning of a comment."""
    blank = byte == 10 or byte == 13 or byte == 32 or byte == 9
    return blank or byte == 44 or byte == 59 or byte == 34 or byte == 39 or byte == 35 or byte == 37


@njit(cache=True, nogil=True)
def _word(data, begin, values, powers, column, row):  # type: ignore[no-untyped-def]
    """As `_number`, of ON, OFF, True and False in any case."""
    at, code = begin, np.uint64(0)
    while (65 <= data[at] <= 90 or 97 <= data[at] <= 122) and at - begin < 6:
        code = code << np.uint64(8) | np.uint64(data[at] | 32)
        at += 1
    if code == 0x6F6E or code == 0x74727565:  # on, true
        values[column, row], powers[column, row] = 1, WORD
        return True, at
    if code == 0x6F6666 or code == 0x66616C7365:  # off, false
        values[column, row], powers[column, row] = 0, WORD
        return True, at
    return False, begin
