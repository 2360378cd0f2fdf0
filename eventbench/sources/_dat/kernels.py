"""Events of DAT, two 32-bit words each, to columns: a block at a time, which is checked while it is in the cache."""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 2048  # events
HALF = np.int64(1 << 31)  # as in `_times.unwrapped`: a step back of more than that is the clock that wrapped
RANGE = np.int64(1 << 32)
# The state, int64 (SLOTS,): what the clock's wraps have added, the last time as it is written (-1: none yet), the step that
# led to it; then of the whole pass: which bits of words of x, y and polarity are set, the highest x, y and polarity, how
# many events step back, how often the clock wrapped.
ADDED, WRITTEN, STEP, BITS, MOST_X, MOST_Y, MOST_P, BACK, WRAPS = range(9)
RESUMED, SLOTS = 3, 9
_32, _TIME = np.uint64(32), np.uint64(0xFFFFFFFF)


def first_state() -> np.ndarray:
    """int64 (SLOTS,): before the first event."""
    state = np.zeros(SLOTS, np.int64)
    state[WRITTEN] = -1
    return state


def resumed(kept: tuple[int, ...]) -> np.ndarray:
    """int64 (SLOTS,): as it was when the first RESUMED of it were `kept`."""
    state = first_state()
    state[:RESUMED] = kept
    return state


@njit(cache=True, nogil=True)
def decode(words, fields, state, t, x, y, p):  # type: ignore[no-untyped-def]
    """Columns of events, uint64 (events,), laid out as `fields` says, five numbers: see `dat.FIELDS`."""
    for start in range(0, t.shape[0], BLOCK):
        stop = min(start + BLOCK, t.shape[0])
        part = words[start:stop]
        state[BITS] |= _places(part, fields, x[start:stop], y[start:stop], p[start:stop])
        state[MOST_X] = max(state[MOST_X], _most(x[start:stop]))
        state[MOST_Y] = max(state[MOST_Y], _most(y[start:stop]))
        state[MOST_P] = max(state[MOST_P], _most(p[start:stop]))
        if _times(part, state[ADDED], t[start:stop]) or np.int64(part[0] & _TIME) < state[WRITTEN]:
            _unwrap(part, state, t[start:stop])
        else:
            last = np.int64(part[-1] & _TIME)
            before = np.int64(part[-2] & _TIME) if part.shape[0] > 1 else state[WRITTEN]
            state[STEP] = last - before if before >= 0 else 0
            state[WRITTEN] = last


@njit(cache=True, nogil=True)
def _places(words, fields, x, y, p):  # type: ignore[no-untyped-def]
    """Which bits of the words of x, y and polarity are set in any."""
    x_mask, y_shift, y_mask, p_shift, p_mask = fields
    bits = np.uint64(0)
    for i in range(words.shape[0]):
        word = np.uint32(words[i] >> _32)
        x[i], y[i], p[i] = word & x_mask, word >> y_shift & y_mask, word >> p_shift & p_mask
    for i in range(words.shape[0]):
        bits |= words[i]
    return np.int64(bits >> _32)


@njit(cache=True, nogil=True)
def _most(column):  # type: ignore[no-untyped-def]
    most = column[0]
    for i in range(column.shape[0]):
        most = max(most, column[i])
    return np.int64(most)


@njit(cache=True, nogil=True)
def _times(words, added, t):  # type: ignore[no-untyped-def]
    """Times with what was added so far; how often they step back."""
    back = 0
    for i in range(words.shape[0]):
        t[i] = np.int64(words[i] & _TIME) + added
    for i in range(1, t.shape[0]):
        back += t[i] < t[i - 1]
    return back


@njit(cache=True, nogil=True)
def _unwrap(words, state, t):  # type: ignore[no-untyped-def]
    """The times of a block in which the clock steps back, or wraps."""
    added, last, step_before = state[ADDED], state[WRITTEN], state[STEP]
    for i in range(words.shape[0]):
        now = np.int64(words[i] & _TIME)
        step = now - last if last >= 0 else np.int64(0)
        if step < -HALF and step_before <= HALF:
            added += RANGE
            state[WRAPS] += 1
        elif step < 0:
            state[BACK] += 1
        t[i] = now + added
        last, step_before = now, step
    state[ADDED], state[WRITTEN], state[STEP] = added, last, step_before
