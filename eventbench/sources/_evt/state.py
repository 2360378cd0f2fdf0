"""What a decoder of EVT words carries from block to block, and what every block is checked for while it is in the cache.

The state is int64 (SLOTS,): first what events need that come later, then counts of the whole pass.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# What is needed to go on from here: the high part of the time, wraps undone (-1: none yet), and as it was written;
# the low part; what else words change or need (EVT 3: row, column and polarity; EVT 4: the word of a vector whose bits
# follow; EVT 2.1: which half of a word is the upper one);
# of a clock with bad words, the number of the word last met, and how far it may still advance.
HIGH, WRITTEN, LOW, PARTS, WORD, LEFT = range(6)
RESUMED = 6
# Of the pass: events before the first time and after a damaged word; words of triggers and of other kinds; the longest
# step of the clock, the longest over a wrap, whether it took another than a step forward; of events, the highest x and
# y, how many step back, and the time of the last; and how many words of a block were decoded when the columns were full.
EARLY, TOUCHED, TRIGGERS, OTHERS, USUAL, LEAP, BROKEN, MOST_X, MOST_Y, BACK, LAST_US, DONE = range(6, 18)
SLOTS = 18
NEVER = -(1 << 62)
BLOCK = (
    2048  # words that are decoded at a time: what comes of them stays in the cache nearest to the processor
)


def first_state() -> np.ndarray:
    """int64 (SLOTS,): before the first word."""
    state = np.zeros(SLOTS, np.int64)
    state[HIGH], state[WORD], state[LAST_US] = -1, -1, NEVER
    return state


def resumed(kept: tuple[int, ...]) -> np.ndarray:
    """int64 (SLOTS,): as it was when the first RESUMED of it were `kept`."""
    state = first_state()
    state[:RESUMED] = kept
    return state


@njit(cache=True, nogil=True)
def checked(state, t, x, y):  # type: ignore[no-untyped-def]
    """Look at the events of a block, which come after those before."""
    most_x, most_y, back = np.uint16(0), np.uint16(0), 0
    for i in range(x.shape[0]):
        most_x = max(most_x, x[i])
    for i in range(y.shape[0]):
        most_y = max(most_y, y[i])
    for i in range(1, t.shape[0]):
        back += t[i] < t[i - 1]
    if t.shape[0]:
        state[BACK] += back + (t[0] < state[LAST_US])
        state[MOST_X], state[MOST_Y] = max(state[MOST_X], most_x), max(state[MOST_Y], most_y)
        state[LAST_US] = t[t.shape[0] - 1]


@njit(cache=True, nogil=True)
def clock_word(state, written, bits):  # type: ignore[no-untyped-def]
    """How far a word of the high part leads on, of a clock that only advances; any other sets BROKEN."""
    size = np.int64(1) << bits
    if state[HIGH] < 0:
        state[HIGH] = state[WRITTEN] = written
        return np.int64(0)
    step = (written - state[WRITTEN]) & (size - 1)
    if step >= size >> 1:
        state[BROKEN] = 1
    kind = LEAP if written < state[WRITTEN] else USUAL
    state[kind] = max(state[kind], step)
    state[WRITTEN] = written
    state[HIGH] += step
    return step
