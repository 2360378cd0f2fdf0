"""The inner loop of the reader of text: rows of numbers to whole numbers and powers of ten, a column each."""

from __future__ import annotations

import numpy as np
from numba import njit

HARD = 127  # a token that needs more than 53 bits: its value is the place where it begins
BAD = 125  # no number
WORD = 126  # one of ON_WORDS or OFF_WORDS: the value is 1 or 0
GOOD, NOT_A_NUMBER, OTHER_COUNT = 0, 1, 2
MOST_DIGITS = 19  # of which any fit into 64 bits
_MOST, _EXACT = np.uint64((1 << 63) - 1), np.uint64(1 << 53)
_BLANK, _LAST, _ENDS = (np.zeros(256, np.bool_) for _ in range(3))  # by byte
_BLANK[[9, 13, 32, 34, 39]] = True  # tab, carriage return, blank, quotes
_LAST[[10, 35, 37]] = True  # line feed, and # and % before a comment
_ENDS[[44, 59]] = True  # comma and semicolon
_ENDS |= _BLANK | _LAST
# At most 8 letters, which are the bytes of a whole number.
ON_WORDS, OFF_WORDS = ("on", "true", "pos", "positive"), ("off", "false", "neg", "negative")
_ON, _OFF = (
    np.array([int.from_bytes(word.encode()) for word in words], np.uint64) for words in (ON_WORDS, OFF_WORDS)
)
_ZERO, _NINE, _TEN = np.uint64(48), np.uint64(9), np.uint64(10)


@njit(cache=True, nogil=True)
def parse(data, separator, values, powers):  # type: ignore[no-untyped-def]  # noqa: C901  # calls per byte cost more
    """(rows, what is wrong, its line from 0, its column from 0, its place, place of the last whole row's end).

    `data` is uint8 and ends with a line feed, `separator` a byte or 32 for blanks and tabs. values int64 and powers int8
    (columns, rows at most): a number is value / 10 ** power.
    """
    columns, size = values.shape[0], len(data)
    at = row = line = end = 0
    while at < size:
        column, start, last = 0, at, at
        while True:
            while _BLANK[data[at]]:
                at += 1
            if _LAST[data[at]]:
                at = _line_end(data, at)
                break
            if column == columns:
                return row, OTHER_COUNT, line, column, start, end
            last = at
            at, value, power = _number(data, at)
            if power == BAD:
                return row, NOT_A_NUMBER, line, column, at, end
            values[column, row], powers[column, row] = value, power
            column += 1
            if data[at] == separator:
                at += 1
                continue
            while _BLANK[data[at]]:
                at += 1
            if data[at] == separator:
                at += 1
            elif separator != 32 and not _LAST[data[at]]:
                return row, NOT_A_NUMBER, line, column - 1, last, end
        at += 1
        if column == columns:
            row += 1
        elif column:
            return row, OTHER_COUNT, line, column, start, end
        line += 1
        end = at
    return row, GOOD, line, 0, at, end


@njit(cache=True, nogil=True)
def _line_end(data, at):  # type: ignore[no-untyped-def]
    """Where the line feed is that ends a comment, or the one at `at`."""
    while data[at] != 10:
        at += 1
    return at


@njit(cache=True, nogil=True)
def _number(data, at):  # type: ignore[no-untyped-def]
    """Where the number or word at `at` ends, its value and its power; BAD, where it begins, if it is none."""
    begin = at
    negative = data[at] == 45
    if negative or data[at] == 43:
        at += 1
    first = at
    mantissa, at = _digits(data, at, np.uint64(0))
    digits, power = at - first, 0
    if data[at] == 46:
        first = at + 1
        mantissa, at = _digits(data, first, mantissa)
        power = at - first
        digits += power
    if not digits:
        return _word(data, begin)
    if data[at] == 101 or data[at] == 69:
        exponent, end = _exponent(data, at + 1)
        if end < 0:
            return begin, 0, BAD
        power, at = power - exponent, end
    if not _ENDS[data[at]]:
        return begin, 0, BAD
    if power != 0 and (mantissa > _EXACT or power > 22) and digits <= MOST_DIGITS:
        mantissa, power = _shortened(mantissa, power)
    exact = power == 0 or (mantissa <= _EXACT and -22 <= power <= 22)
    if digits > MOST_DIGITS or mantissa > _MOST or not exact:
        return at, begin, HARD
    whole = np.int64(mantissa)
    return at, -whole if negative else whole, power


@njit(cache=True, nogil=True)
def _shortened(mantissa, power):  # type: ignore[no-untyped-def]
    """The same number without zeros at the end of its fraction."""
    while power > 0 and mantissa % _TEN == 0 and mantissa != 0:
        mantissa //= _TEN
        power -= 1
    return mantissa, power if mantissa != 0 else 0


@njit(cache=True, nogil=True, inline="always")
def _digits(data, at, mantissa):  # type: ignore[no-untyped-def]
    """The number that the digits at `at` continue, and where they end."""
    digit = np.uint64(data[at]) - _ZERO  # what is below 0 becomes very large
    while digit <= _NINE:
        mantissa = mantissa * _TEN + digit
        at += 1
        digit = np.uint64(data[at]) - _ZERO
    return mantissa, at


@njit(cache=True, nogil=True)
def _exponent(data, at):  # type: ignore[no-untyped-def]
    """The exponent after an e, and where it ends; -1 where there is none."""
    down = data[at] == 45
    if down or data[at] == 43:
        at += 1
    exponent, first = 0, at
    while 48 <= data[at] <= 57:
        exponent = min(10 * exponent + data[at] - 48, 10_000)
        at += 1
    return (-exponent if down else exponent), (at if at > first else -1)


@njit(cache=True, nogil=True)
def _word(data, begin):  # type: ignore[no-untyped-def]
    """As `_number`, of the words of ON_WORDS and OFF_WORDS in any case."""
    at, code = begin, np.uint64(0)
    while (65 <= data[at] <= 90 or 97 <= data[at] <= 122) and at - begin < 9:
        code = code << np.uint64(8) | np.uint64(data[at] | 32)
        at += 1
    for k in range(len(_ON)):
        if code == _ON[k]:
            return at, 1, WORD
        if code == _OFF[k]:
            return at, 0, WORD
    return begin, 0, BAD
