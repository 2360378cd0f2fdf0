"""The inner loops of the 40-bit format: a block is decoded into columns that stay in the L1 cache, then copied out.

An event is loaded as one word of 8 bytes, of which it has the first 5, and narrow columns are stored four or eight
values at a time: fewer loads and stores are what makes it fast.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.events.memory import columns

EVENT_BYTES = 5
OVERFLOW_Y = 240
OVERFLOW_US = 1 << 13
BLOCK = 1024  # events; a multiple of 8
_1, _8, _16, _23, _32 = (np.uint64(bits) for bits in (1, 8, 16, 23, 32))
_BYTE, _SECOND, _HIGH = np.uint64(0xFF), np.uint64(0xFF00), np.uint64(0x7F0000)


def decode_files(
    raw: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Columns t, x, y, p, offsets and notes of files laid end to end in `raw`, uint8: file k ends at byte ends[k].

    Files are of whole events. notes, int64 (files, 3), are the largest x, the largest y and how often time steps back.
    """
    events = len(raw) // EVENT_BYTES
    t, x, y, p = columns(events)
    offsets, notes = np.zeros(len(ends) + 1, np.int64), np.zeros((len(ends), 3), np.int64)
    raw = raw.view()
    raw.flags.writeable = False  # so that the kernel is compiled once
    # The last event has no 8 bytes; the word of every other one overlaps the next.
    words = np.ndarray((max(events - 1, 0),), "<u8", raw, 0, (EVENT_BYTES,))
    _fill(raw, words, ends // EVENT_BYTES, t, x, y, p, offsets, notes)
    n = int(offsets[-1])
    return t[:n], x[:n], y[:n], p[:n], offsets, notes


@njit(cache=True, nogil=True)
def _fill(raw, words, ends, t, x, y, p, offsets, notes):  # type: ignore[no-untyped-def]
    x4, y4, p8 = (
        np.empty(BLOCK // 4, np.uint64),
        np.empty(BLOCK // 4, np.uint64),
        np.empty(BLOCK // 8, np.uint64),
    )
    xs, ys, ps = x4.view(np.uint16), y4.view(np.uint16), p8.view(np.uint8)
    n, start = 0, 0
    for k in range(ends.shape[0]):
        added, back, most_x, most_y = np.int64(0), 0, np.uint16(0), np.uint16(0)
        while start < ends[k]:
            size = min(BLOCK, ends[k] - start)
            whole = min(size, words.shape[0] - start) // 8 * 8
            room = t[n : n + size]
            _eights(words[start : start + whole], room, x4, y4, p8)
            _rest(raw[EVENT_BYTES * (start + whole) : EVENT_BYTES * (start + size)], whole, room, xs, ys, ps)
            if _marks(ys[:size]):
                events = _without_marks(
                    added, room, xs, ys, ps, x[n : n + size], y[n : n + size], p[n : n + size]
                )
            else:
                events = size
                _move(xs, x[n : n + size])
                _move(ys, y[n : n + size])
                _move(ps, p[n : n + size])
                if added:
                    _later(added, room)
            added += OVERFLOW_US * (size - events)
            most_x, most_y = max(most_x, _most(x[n : n + events])), max(most_y, _most(y[n : n + events]))
            back += _back(t[max(n - 1, offsets[k]) : n + events])
            n += events
            start += size
        offsets[k + 1] = n
        notes[k, 0], notes[k, 1], notes[k, 2] = most_x, most_y, back


@njit(cache=True, nogil=True)
def _eights(words, t, x4, y4, p8):  # type: ignore[no-untyped-def]
    """Decode a number of events that eight divides, four x or y to a word, eight polarities."""
    for k in range(words.shape[0] // 8):
        polarities = np.uint64(0)
        for half in range(2):
            columns, rows = np.uint64(0), np.uint64(0)
            for j in range(4):
                i = 4 * half + j
                word = words[8 * k + i]
                columns |= (word & _BYTE) << np.uint64(16 * j)
                rows |= (word >> _8 & _BYTE) << np.uint64(16 * j)
                polarities |= (word >> _23 & _1) << np.uint64(8 * i)
                t[8 * k + i] = np.int64(word & _HIGH | word >> _16 & _SECOND | word >> _32 & _BYTE)
            x4[2 * k + half] = columns
            y4[2 * k + half] = rows
        p8[k] = polarities


@njit(cache=True, nogil=True)
def _rest(part, first, t, xs, ys, ps):  # type: ignore[no-untyped-def]
    for i in range(part.shape[0] // EVENT_BYTES):
        at = EVENT_BYTES * i
        high, middle, low = np.int64(part[at + 2]), np.int64(part[at + 3]), np.int64(part[at + 4])
        xs[first + i], ys[first + i], ps[first + i] = part[at], part[at + 1], high >> 7
        t[first + i] = (high & 0x7F) << 16 | middle << 8 | low


@njit(cache=True, nogil=True)
def _marks(ys):  # type: ignore[no-untyped-def]
    marked = np.uint16(0)
    for i in range(ys.shape[0]):
        marked |= np.uint16(ys[i] == np.uint16(OVERFLOW_Y))
    return marked


@njit(cache=True, nogil=True)
def _without_marks(added, t, xs, ys, ps, x, y, p):  # type: ignore[no-untyped-def]
    """Write a block without its markers; how many events there are."""
    n = 0
    for i in range(t.shape[0]):
        if ys[i] == OVERFLOW_Y:
            added = np.int64(added + OVERFLOW_US)
            continue
        t[n] = t[i] + added
        x[n], y[n], p[n] = xs[i], ys[i], ps[i]
        n += 1
    return n


@njit(cache=True, nogil=True)
def _move(block, column):  # type: ignore[no-untyped-def]
    for i in range(column.shape[0]):
        column[i] = block[i]


@njit(cache=True, nogil=True)
def _later(added, t):  # type: ignore[no-untyped-def]
    for i in range(t.shape[0]):
        t[i] += added


@njit(cache=True, nogil=True)
def _most(column):  # type: ignore[no-untyped-def]
    most = np.uint16(0)
    for i in range(column.shape[0]):
        most = max(most, column[i])
    return most


@njit(cache=True, nogil=True)
def _back(t):  # type: ignore[no-untyped-def]
    steps = 0
    for i in range(1, t.shape[0]):
        steps += t[i] < t[i - 1]
    return steps
