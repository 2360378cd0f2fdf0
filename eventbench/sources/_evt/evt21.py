"""EVT 2.1: 64-bit words of up to 32 pixels of a row that fired at one time.

Bits 60 to 63 are the type: 0 OFF, 1 ON (bits 54 to 59 the low 6 bits of time, 43 to 53 x of the first pixel, 32 to 42 y,
0 to 31 which of the 32 pixels from x on fired), 8 the high 28 bits of time (bits 32 to 59), 10 a trigger, 14 and 15 others.
The upper half is thus a word of EVT 2.0. It comes first in files that say "legacy". Prophesee, "EVT 2.1 format".
"""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.sources._evt.bits import lowest_bit, set_bits
from eventbench.sources._evt.packed import (
    ABOVE_LOW,
    AT_TIME,
    AT_X,
    HIGH_BITS,
    LOW_BITS,
    LOW_TIME,
    PIXELS,
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
    PARTS,
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

WORD_BYTES, WORD_TYPE = 8, "<u8"
MANY = True  # events in a word
TIME_HIGH, TRIGGER = 8, 10
_1, _11, _22, _28, _29 = (np.uint32(bits) for bits in (1, 11, 22, 28, 29))
_SIX, _ELEVEN, _HIGH = (np.uint32(mask) for mask in (0x3F, 0x7FF, 0xFFFFFFF))
_ONE, _32, _60, _61, _64 = (np.uint64(bits) for bits in (1, 32, 60, 61, 64))
_PIXELS, _NONE, _IN_WORD = np.uint64(0xFFFFFFFF), np.uint64(0), np.uint64(63)


def room(words: np.ndarray, state: np.ndarray) -> int:
    """How many events are in these words."""
    return int(_pixels(words, np.uint64(state[PARTS])))


@njit(cache=True, nogil=True, inline="always")
def _turned(word, swapped):  # type: ignore[no-untyped-def]
    """The word with the half of its type uppermost; `swapped`: 32 where that half comes first, else 0."""
    return word << (swapped & _IN_WORD) | word >> (_64 - swapped & _IN_WORD)


@njit(cache=True, nogil=True)
def _pixels(words, swapped):  # type: ignore[no-untyped-def]
    n = np.uint64(0)
    for i in range(words.shape[0]):
        word = _turned(words[i], swapped)
        n += set_bits(word & _PIXELS) if word >> _61 == 0 else _NONE
    return n


@njit(cache=True, nogil=True)
def clock_words(words, state, highs, places):  # type: ignore[no-untyped-def]
    """Copy the words of the high part, and where they are; how many."""
    n, swapped = 0, np.uint64(state[PARTS])
    for i in range(words.shape[0]):
        word = np.uint32(_turned(words[i], swapped) >> _32)
        if word >> _28 == TIME_HIGH:
            highs[n], places[n] = word & _HIGH, i
            n += 1
    return n


@njit(cache=True, nogil=True)
def steady(words, state, t, x, y, p):  # type: ignore[no-untyped-def]
    """Events of a block with a clock that only advances, as many as the columns hold; how many."""
    places, saved = np.empty(BLOCK * PIXELS, np.uint32), np.empty(SLOTS, np.int64)
    times = np.empty(BLOCK * PIXELS, np.int64)  # of the last events, where the column may be too short
    n, start, swapped = 0, 0, np.uint64(state[PARTS])
    while start < words.shape[0]:
        stop = min(start + BLOCK, words.shape[0])
        if state[HIGH] < 0:
            stop = start + _to_clock(words[start:stop], swapped)
        saved[:] = state
        fits = n + places.shape[0] <= t.shape[0]
        events = _pack(words[start:stop], swapped, state, places, t[n:] if fits else times)
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
def _to_clock(words, swapped):  # type: ignore[no-untyped-def]
    """How many words come before the first of the high part; all where it is the first, or there is none."""
    for i in range(words.shape[0]):
        if _turned(words[i], swapped) >> _60 == TIME_HIGH:
            return i if i else words.shape[0]
    return words.shape[0]


@njit(cache=True, nogil=True)
def _pack(words, swapped, state, places, times):  # type: ignore[no-untyped-def]
    n, base = np.uint64(0), np.uint64(state[HIGH]) << ABOVE_LOW
    for i in range(words.shape[0]):
        whole = _turned(words[i], swapped)
        word, pixels = np.uint32(whole >> _32), np.uint32(whole)
        if word >> _29 == 0:
            place = word & PLACE
            time = np.int64(base | np.uint64(word >> AT_TIME & LOW_TIME))
            places[n], times[n] = place + (lowest_bit(pixels) << AT_X), time
            n += np.uint64(pixels != 0)
            pixels &= pixels - _1
            while pixels:
                places[n], times[n] = place + (lowest_bit(pixels) << AT_X), time
                pixels &= pixels - _1
                n += _ONE
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
    n, k, swapped = 0, state[WORD], np.uint64(state[PARTS])
    now, last, left, damaged = state[HIGH], state[LOW], state[LEFT], k >= 0 and kinds[k] == 1
    done = words.shape[0]
    for i in range(words.shape[0]):
        if n + PIXELS > t.shape[0]:
            done = i
            break
        whole = _turned(words[i], swapped)
        word, pixels = np.uint32(whole >> _32), np.uint32(whole)
        kind = word >> _28
        if kind == TIME_HIGH:
            k += 1
            now, left, damaged = high[k], advance[k], kinds[k] == 1
        elif kind <= 1:
            low, before = np.int64(word >> _22 & _SIX), n
            if damaged and low < last and left > 0:
                now, left = now + 1, left - 1
            last = low
            while pixels:
                if now < 0:
                    state[EARLY] += 1
                else:
                    t[n], y[n], p[n] = now << 6 | low, word & _ELEVEN, kind
                    x[n] = (word >> _11 & _ELEVEN) + lowest_bit(pixels)
                    n += 1
                pixels &= pixels - _1
            state[TOUCHED] += n - before if damaged else 0
        else:
            state[TRIGGERS if kind == TRIGGER else OTHERS] += 1
    state[WORD], state[HIGH], state[LOW], state[LEFT] = k, now, last, left
    state[DONE] = done
    checked(state, t[:n], x[:n], y[:n])
    return n
