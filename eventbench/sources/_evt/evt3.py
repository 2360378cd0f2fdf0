"""EVT 3.0: 16-bit words, each of which changes one part of the state (time, row, column, polarity) or is an event.

Bits 12 to 15 are the type: 0 row, 2 an event at a column, 3 the first column of a vector, 4 and 5 which of the next 12
and 8 columns fired, 6 the low 12 bits of time, 8 the high 12, 10 a trigger; 7, 13, 14 and 15 others. Prophesee, "EVT 3.0
format". How a damaged or lost word of time is told from a wrap or a restart: `_evt.clock`. The low part is 0 from where the
high part changes until a word says it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.sources._evt.bits import lowest_bit, set_bits
from eventbench.sources._evt.state import (
    BLOCK,
    BROKEN,
    DONE,
    EARLY,
    HIGH,
    LEFT,
    LOW,
    OTHERS,
    PARTS,
    SLOTS,
    TOUCHED,
    TRIGGERS,
    WORD,
    checked,
    clock_word,
)

WORD_BYTES, WORD_TYPE = 2, "<u2"
MANY = True  # events in a word
ROW, COLUMN, BASE, TWELVE, EIGHT, LOW_WORD, TIME_HIGH, TRIGGER = 0, 2, 3, 4, 5, 6, 8, 10
LOW_BITS, HIGH_BITS = 12, 12
HALF = 1 << 11
MOST = 65535
WIDEST = 12  # columns in a word
VECTOR = 32  # columns in three words in a row, of 12, 12 and 8
# The state as one number: bits 0 to 10 column, 11 polarity, 12 to 23 row, 24 to 35 low part of the time, 36 to 63 how many
# ticks the high part is ahead of where it was when the block began. A word of a row, a column or the low part overwrites the
# 12 bits of its own: where they are, by type.
_AT = np.array([12, 0, 0, 0, 0, 0, 24, *[0] * 9], np.uint64)
_KEPT = np.array([2**64 - 1 - (0xFFF << int(at)) for at in _AT], np.uint64)
_OVERWRITES = np.uint64(1 << ROW | 1 << COLUMN | 1 << BASE | 1 << LOW_WORD)
_VECTORS = np.uint64(1 << TWELVE | 1 << EIGHT)
_1, _11, _12, _24, _36 = (np.uint64(bits) for bits in (1, 11, 12, 24, 36))
_TWELVE_BITS, _ELEVEN, _LAST_X = np.uint64(0xFFF), np.uint64(0x7FF), np.uint64(2047 - VECTOR)
_AHEAD, _NOT_LOW = np.uint64(2**64 - 2**36), np.uint64(2**64 - 1 - (0xFFF << 24))
_12_SHORT, _ALL_SHORT, _EIGHT_SHORT = np.uint16(12), np.uint16(0xFFF), np.uint16(0xFF)


def room(words: np.ndarray, state: np.ndarray) -> int:  # noqa: ARG001  # as in EVT 2.1
    """How many events are in these words."""
    return int(_events(words))


@njit(cache=True, nogil=True)
def _events(words):  # type: ignore[no-untyped-def]
    n = 0
    for start in range(0, words.shape[0], BLOCK):
        part = words[start : start + BLOCK]
        events = np.uint32(0)  # narrow: more of them are counted at a time
        for i in range(part.shape[0]):
            kind, value = part[i] >> _12_SHORT, np.uint16(part[i] & _ALL_SHORT)
            narrow = np.uint16(value & _EIGHT_SHORT) if kind == EIGHT else np.uint16(0)
            bits = value if kind == TWELVE else narrow
            events = np.uint32(events + np.uint32(set_bits(bits)) + np.uint32(kind == COLUMN))
        n += int(events)
    return n


@njit(cache=True, nogil=True)
def clock_words(words, state, highs, places):  # type: ignore[no-untyped-def]  # noqa: ARG001  # as in EVT 4.0
    """Copy the words of the high part, and where they are; how many."""
    n = 0
    for i in range(words.shape[0]):
        if words[i] >> 12 == TIME_HIGH:
            highs[n], places[n] = words[i] & 0xFFF, i
            n += 1
    return n


@njit(cache=True, nogil=True)
def steady(words, state, t, x, y, p):  # type: ignore[no-untyped-def]
    """Events of a block with a clock that only advances, as many as the columns hold; how many."""
    packed, saved = np.empty(BLOCK * WIDEST, np.uint64), np.empty(SLOTS, np.int64)
    n, start = 0, 0
    while start < words.shape[0]:
        stop = min(start + BLOCK, words.shape[0])
        if state[HIGH] < 0:
            stop = start + _to_clock(words[start:stop])
        saved[:] = state
        state[PARTS] &= (1 << 36) - 1
        events = _pack(words[start:stop], state, packed)
        if state[HIGH] < 0:
            state[EARLY] += events
        elif n + events > t.shape[0]:
            state[:] = saved
            break
        else:
            end = n + events
            _unpack(packed[:events], state, t[n:end], x[n:end], y[n:end], p[n:end])
            n = end
        start = stop
    state[DONE] = start
    return n


@njit(cache=True, nogil=True)
def _to_clock(words):  # type: ignore[no-untyped-def]
    """How many words come before the first of the high part; all where it is the first, or there is none."""
    for i in range(words.shape[0]):
        if words[i] >> 12 == TIME_HIGH:
            return i if i else words.shape[0]
    return words.shape[0]


@njit(cache=True, nogil=True)
def _pack(words, state, packed):  # type: ignore[no-untyped-def]
    """The state at each event; how many. No branch for the words that are most of a file."""
    n, i, parts = np.uint64(0), 0, np.uint64(state[PARTS])
    while i < words.shape[0]:
        word = np.uint64(words[i])
        i += 1
        kind, value = word >> _12, word & _TWELVE_BITS
        if _OVERWRITES >> kind & _1:
            parts = parts & _KEPT[kind] | value << _AT[kind]
            packed[n] = parts
            n += np.uint64(kind == COLUMN)
        elif _VECTORS >> kind & _1:
            if parts & _ELEVEN > _LAST_X:
                state[BROKEN] = 1
            bits, wide = value, np.uint64(12)
            if kind == EIGHT:
                bits, wide = value & np.uint64(0xFF), np.uint64(8)
            elif i + 1 < words.shape[0] and words[i] >> 12 == TWELVE and words[i + 1] >> 12 == EIGHT:
                bits |= np.uint64(words[i] & 0xFFF) << _12 | np.uint64(words[i + 1] & 0xFF) << _24
                wide = np.uint64(32)
                i += 2
            event, parts = parts, parts + wide
            while bits:
                packed[n] = event + lowest_bit(bits)
                bits &= bits - _1
                n += _1
        elif kind == TIME_HIGH:
            first = state[HIGH] < 0
            step = np.uint64(clock_word(state, np.int64(value), HIGH_BITS))
            if step or first:
                parts = (parts & _NOT_LOW) + (step << _36)
        else:
            state[TRIGGERS if kind == TRIGGER else OTHERS] += 1
    state[PARTS] = np.int64(parts)
    return np.int64(n)


@njit(cache=True, nogil=True)
def _unpack(packed, state, t, x, y, p):  # type: ignore[no-untyped-def]
    first = np.uint64(state[HIGH]) - (np.uint64(state[PARTS]) >> _36)
    for i in range(packed.shape[0]):
        event = packed[i]
        x[i], y[i], p[i] = event & _ELEVEN, event >> _12 & _ELEVEN, event >> _11 & _1
    for i in range(packed.shape[0]):
        t[i] = np.int64((first << _12) + (packed[i] >> _24))
    checked(state, t, x, y)


@njit(cache=True, nogil=True)
def judged(words, state, clock, t, x, y, p):  # type: ignore[no-untyped-def]  # noqa: C901  # a branch a type of word
    """Events of a block by a `Clock` that was judged, as many as the columns hold; how many."""
    high, advance, kinds = clock
    n, since, k = 0, 0, state[WORD]
    base, low, left, damaged = state[HIGH], state[LOW], state[LEFT], k >= 0 and kinds[k] == 1
    column, on, row = state[PARTS] & 0xFFFFFFFF, state[PARTS] >> 32 & 1, state[PARTS] >> 33
    done = words.shape[0]
    for i in range(words.shape[0]):
        if n + WIDEST > t.shape[0]:
            done = i
            break
        word = words[i]
        kind, value = word >> 12, np.int64(word & 0xFFF)
        if kind == ROW:
            row = value & 0x7FF
        elif kind in (COLUMN, BASE):
            column, on = value & 0x7FF, value >> 11
            if kind == COLUMN and base >= 0:
                t[n], x[n], y[n], p[n] = base << 12 | low, column, row, on
                n += 1
            elif kind == COLUMN:
                state[EARLY] += 1
        elif kind in (TWELVE, EIGHT):
            wide = 12 if kind == TWELVE else 8
            for bit in range(wide):
                if value >> bit & 1 and base >= 0:
                    t[n], x[n], y[n], p[n] = base << 12 | low, min(column + bit, MOST), row, on
                    n += 1
                elif value >> bit & 1:
                    state[EARLY] += 1
            column = min(column + wide, MOST)
        elif kind == LOW_WORD:
            if damaged and left > 0 and value + HALF < low:
                base, left = base + 1, left - 1
            low = value
        elif kind == TIME_HIGH:
            k += 1
            if high[k] != base:
                base, low = high[k], np.int64(0)
            state[TOUCHED] += n - since if damaged else 0
            left, damaged, since = advance[k], kinds[k] == 1, n
        else:
            state[TRIGGERS if kind == TRIGGER else OTHERS] += 1
    state[TOUCHED] += n - since if damaged else 0
    state[WORD], state[HIGH], state[LOW], state[LEFT] = k, base, low, left
    state[PARTS] = row << 33 | on << 32 | column
    state[DONE] = done
    checked(state, t[:n], x[:n], y[:n])
    return n
