"""EVT 2.0: 32-bit words, an event each, or the high part of the time.

Bits 28 to 31 are the type: 0 OFF, 1 ON (bits 22 to 27 the low 6 bits of time, 11 to 21 x, 0 to 10 y), 8 the high 28 bits of
time (bits 0 to 27), 10 a trigger, 13 to 15 others. Prophesee, "EVT 2.0 format".
"""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.sources._evt.packed import (
    ABOVE_LOW,
    AT_TIME,
    HIGH_BITS,
    LOW_BITS,
    LOW_TIME,
    PLACE,
    unpacked,
)
from eventbench.sources._evt.state import (
    BLOCK,
    DONE,
    EARLY,
    HIGH,
    LEFT,
    LOW,
    OTHERS,
    SLOTS,
    TOUCHED,
    TRIGGERS,
    WORD,
    checked,
    clock_word,
)

__all__ = [
    "HIGH_BITS",
    "LOW_BITS",
    "MANY",
    "WORD_BYTES",
    "WORD_TYPE",
    "clock_words",
    "judged",
    "room",
    "steady",
]

WORD_BYTES, WORD_TYPE = 4, "<u4"
MANY = False  # events in a word
TIME_HIGH, TRIGGER = 8, 10
_11, _22, _28, _29 = (np.uint32(bits) for bits in (11, 22, 28, 29))
_SIX, _ELEVEN, _HIGH = np.uint32(0x3F), np.uint32(0x7FF), np.uint32(0xFFFFFFF)
_1 = np.uint64(1)


def room(words: np.ndarray, state: np.ndarray) -> int:  # noqa: ARG001  # for encodings with words of many events
    """At least as many as there are events in these words."""
    return len(words)


@njit(cache=True, nogil=True)
def clock_words(words, state, highs, places):  # type: ignore[no-untyped-def]  # noqa: ARG001  # as in EVT 4.0
    """Copy the words of the high part, and where they are; how many."""
    n = 0
    for i in range(words.shape[0]):
        if words[i] >> _28 == TIME_HIGH:
            highs[n], places[n] = words[i] & _HIGH, i
            n += 1
    return n


@njit(cache=True, nogil=True)
def steady(words, state, t, x, y, p):  # type: ignore[no-untyped-def]
    """Events of a block with a clock that only advances, as many as the columns hold; how many."""
    places, saved = np.empty(BLOCK, np.uint32), np.empty(SLOTS, np.int64)
    times = np.empty(BLOCK, np.int64)  # of the last events, where the column may be too short
    n, start = 0, 0
    while start < words.shape[0]:
        stop = min(start + BLOCK, words.shape[0])
        if state[HIGH] < 0:
            stop = start + _to_clock(words[start:stop])
        saved[:] = state
        fits = n + places.shape[0] <= t.shape[0]
        events = _pack(words[start:stop], state, places, t[n:] if fits else times)
        end = n + events
        if state[HIGH] < 0:
            state[EARLY] += events
        elif end > t.shape[0]:
            state[:] = saved
            break
        else:
            if not fits:
                t[n:end] = times[:events]
            unpacked(places[:events], state, t[n:end], x[n:end], y[n:end], p[n:end])
            n = end
        start = stop
    state[DONE] = start
    return n


@njit(cache=True, nogil=True)
def _to_clock(words):  # type: ignore[no-untyped-def]
    """How many words come before the first of the high part; all where it is the first, or there is none."""
    for i in range(words.shape[0]):
        if words[i] >> _28 == TIME_HIGH:
            return i if i else words.shape[0]
    return words.shape[0]


@njit(cache=True, nogil=True)
def _pack(words, state, places, times):  # type: ignore[no-untyped-def]
    n, base = np.uint64(0), np.uint64(state[HIGH]) << ABOVE_LOW
    for i in range(words.shape[0]):
        word = words[i]
        if word >> _29 == 0:
            places[n] = word & PLACE
            times[n] = np.int64(base | np.uint64(word >> AT_TIME & LOW_TIME))
            n += _1
        elif word >> _28 == TIME_HIGH:
            clock_word(state, np.int64(word & _HIGH), HIGH_BITS)
            base = np.uint64(state[HIGH]) << ABOVE_LOW
        elif word >> _28 == TRIGGER:
            state[TRIGGERS] += 1
        else:
            state[OTHERS] += 1
    return np.int64(n)


@njit(cache=True, nogil=True)
def judged(words, state, clock, t, x, y, p):  # type: ignore[no-untyped-def]
    """Events of a block by a `Clock` that was judged, as many as the columns hold; how many."""
    high, advance, kinds = clock
    n, k = 0, state[WORD]
    now, last, left, damaged = state[HIGH], state[LOW], state[LEFT], k >= 0 and kinds[k] == 1
    done = words.shape[0]
    for i in range(words.shape[0]):
        if n + 1 > t.shape[0]:
            done = i
            break
        word = words[i]
        kind = word >> _28
        if kind <= 1:
            if now < 0:
                state[EARLY] += 1
                continue
            low = np.int64(word >> _22 & _SIX)
            if damaged:
                state[TOUCHED] += 1
                if low < last and left > 0:
                    now, left = now + 1, left - 1
            last = low
            t[n], x[n], y[n], p[n] = now << 6 | low, word >> _11 & _ELEVEN, word & _ELEVEN, kind
            n += 1
        elif kind == TIME_HIGH:
            k += 1
            now, left, damaged = high[k], advance[k], kinds[k] == 1
        else:
            state[TRIGGERS if kind == TRIGGER else OTHERS] += 1
    state[WORD], state[HIGH], state[LOW], state[LEFT] = k, now, last, left
    state[DONE] = done
    checked(state, t[:n], x[:n], y[:n])
    return n
