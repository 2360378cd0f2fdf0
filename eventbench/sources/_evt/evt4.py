"""EVT 4.0: 32-bit words, one or two an event or a row of them, or the high part of the time.

Bits 28 to 31 are the type: 10 OFF, 11 ON (bits 22 to 27 the low 6 bits of time, 11 to 21 x, 0 to 10 y); 12 and 13 the same
of up to 32 pixels of a row, where the whole next word says which from x on fired; 14 the high 28 bits of time (bits 0 to
27), 9 a trigger, 6 and 7 others, 15 nothing. There is no public description: openeb 5.1, `hal/.../decoders/evt4`.
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

WORD_BYTES, WORD_TYPE = 4, "<u4"
MANY = True  # events in two words
SINGLE, VECTOR, TIME_HIGH, TRIGGER, PADDING = 5, 6, 14, 9, 15  # the first two of types halved: OFF and ON
_1, _11, _22, _28, _29 = (np.uint32(bits) for bits in (1, 11, 22, 28, 29))
_SIX, _ELEVEN, _HIGH = (np.uint32(mask) for mask in (0x3F, 0x7FF, 0xFFFFFFF))
_ONE = np.uint64(1)


def room(words: np.ndarray, state: np.ndarray) -> int:
    """At least as many as there are events in these words, and little more: a word after a vector's is taken for its bits."""
    return int(_room(words, np.uint32(state[PARTS])))


@njit(cache=True, nogil=True)
def _room(words, before):  # type: ignore[no-untyped-def]
    n = np.uint64(0)
    if words.shape[0] and before:
        n += np.uint64(set_bits(words[0]))
    heads, bits = words[:-1], words[1:]
    for i in range(words.shape[0]):
        n += np.uint64(words[i] >> _29 == SINGLE)
    for i in range(bits.shape[0]):
        n += np.uint64(set_bits(bits[i] if heads[i] >> _29 == VECTOR else np.uint32(0)))
    return n


@njit(cache=True, nogil=True)
def clock_words(words, state, highs, places):  # type: ignore[no-untyped-def]
    """Copy the words of the high part, and where they are; how many."""
    n, bits_follow = 0, state[PARTS] != 0
    for i in range(words.shape[0]):
        word = words[i]
        if bits_follow:
            bits_follow = False
        elif word >> _28 == TIME_HIGH:
            highs[n], places[n] = word & _HIGH, i
            n += 1
        elif word >> _29 == VECTOR:
            bits_follow, state[PARTS] = True, np.int64(word)
    if not bits_follow:
        state[PARTS] = 0
    return n


@njit(cache=True, nogil=True)
def steady(words, state, t, x, y, p):  # type: ignore[no-untyped-def]
    """Events of a block with a clock that only advances, as many as the columns hold; how many."""
    places, saved = np.empty(BLOCK * PIXELS, np.uint32), np.empty(SLOTS, np.int64)
    times = np.empty(BLOCK * PIXELS, np.int64)  # of the last events, where the column may be too short
    n, start = 0, 0
    while start < words.shape[0]:
        stop = min(start + BLOCK, words.shape[0])
        if state[HIGH] < 0:
            stop = start + _to_clock(words[start:stop], state[PARTS] != 0)
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
def _to_clock(words, bits_follow):  # type: ignore[no-untyped-def]
    """How many words come before the first of the high part; all where it is the first, or there is none."""
    for i in range(words.shape[0]):
        if bits_follow:
            bits_follow = False
        elif words[i] >> _28 == TIME_HIGH:
            return i if i else words.shape[0]
        else:
            bits_follow = words[i] >> _29 == VECTOR
    return words.shape[0]


@njit(cache=True, nogil=True)
def _pack(words, state, places, times):  # type: ignore[no-untyped-def]
    n, base, head = np.uint64(0), np.uint64(state[HIGH]) << ABOVE_LOW, np.uint32(state[PARTS])
    for i in range(words.shape[0]):
        word = words[i]
        if head:
            place = head & PLACE
            time = np.int64(base | np.uint64(head >> AT_TIME & LOW_TIME))
            while word:
                places[n], times[n] = place + (lowest_bit(word) << AT_X), time
                word &= word - _1
                n += _ONE
            head = np.uint32(0)
        elif word >> _29 == SINGLE:
            places[n] = word & PLACE
            times[n] = np.int64(base | np.uint64(word >> AT_TIME & LOW_TIME))
            n += _ONE
        elif word >> _29 == VECTOR:
            head = word
        elif word >> _28 == TIME_HIGH:
            clock_word(state, np.int64(word & _HIGH), HIGH_BITS)
            base = np.uint64(state[HIGH]) << ABOVE_LOW
        else:
            _count_other(state, word >> _28)
    state[PARTS] = head
    return np.int64(n)


@njit(cache=True, nogil=True)
def _count_other(state, kind):  # type: ignore[no-untyped-def]
    if kind != PADDING:
        state[TRIGGERS if kind == TRIGGER else OTHERS] += 1


@njit(cache=True, nogil=True)
def judged(words, state, clock, t, x, y, p):  # type: ignore[no-untyped-def]
    """Events of a block by a `Clock` that was judged, as many as the columns hold; how many."""
    high, advance, kinds = clock
    n, k, head = 0, state[WORD], np.uint32(state[PARTS])
    now, last, left, damaged = state[HIGH], state[LOW], state[LEFT], k >= 0 and kinds[k] == 1
    done = words.shape[0]
    for i in range(words.shape[0]):
        if n + PIXELS > t.shape[0]:
            done = i
            break
        word = words[i]
        pixels, kind = np.uint32(0), word >> _28
        if head:
            pixels = word
        elif word >> _29 == VECTOR:
            head = word
            continue
        elif word >> _29 == SINGLE:
            head, pixels = word, _1
        elif kind == TIME_HIGH:
            k += 1
            now, left, damaged = high[k], advance[k], kinds[k] == 1
            continue
        else:
            _count_other(state, kind)
            continue
        low, before = np.int64(head >> _22 & _SIX), n
        if damaged and low < last and left > 0:
            now, left = now + 1, left - 1
        last = low
        while pixels:
            if now < 0:
                state[EARLY] += 1
            else:
                t[n], y[n], p[n] = now << 6 | low, head & _ELEVEN, head >> _28 & _1
                x[n] = (head >> _11 & _ELEVEN) + lowest_bit(pixels)
                n += 1
            pixels &= pixels - _1
        state[TOUCHED] += n - before if damaged else 0
        head = np.uint32(0)
    state[WORD], state[HIGH], state[LOW], state[LEFT], state[PARTS] = k, now, last, left, head
    state[DONE] = done
    checked(state, t[:n], x[:n], y[:n])
    return n
