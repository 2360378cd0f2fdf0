"""The clock of EVT files: words of its high part (TIME_HIGH) judged by their neighbours, before any event gets a time.

A step from one word to the next is one of these. "Behind" is modulo the clock: b is behind a if it takes more than half of
the clock's range to get from a to b.

* forward: to a higher number, or a step back of more than half the range, which is the clock that wrapped (openeb's rule);
* damaged: a word that is out of place, as its neighbours are in order without it and would not be without another one: it
  leads forward and the two words after it are behind it, or it leads back and the next word is not behind what was before.
  It is passed over. Until the next word, events have the time of the word before it and their own low bits; where those
  step back, the high part has advanced, as far as the next word allows;
* a step back: the clock is soon where it was, within SOON words. It is decoded as the file has it;
* a restart: the clock goes on from a smaller number and does not come back. It is refused unless it is to be joined.

A restart from the upper half of the range to its beginning looks like a wrap. It is taken for one, and told as doubtful where
it leaps much farther than the clock does elsewhere.

Where a damaged word can only be told from a restart by words that are not there (the last one of a file), it is damaged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

GOOD, DAMAGED, RESTART = 0, 1, 2
LEAP = 64  # ticks of the high part, and times the farthest other step, from which a wrap is doubtful
SOON = 64  # words after which a clock that stepped back should be where it was


class Clock(NamedTuple):
    """What each word of the high part says, int64 (words,): the high part, wraps undone, and for a damaged word how far it
    may advance until the next; -1 where nothing can be known. And which words are DAMAGED or a RESTART, uint8 (words,).
    """

    high: np.ndarray
    advance: np.ndarray
    kinds: np.ndarray


@njit(cache=True, nogil=True)
def _judge(words, bits, high, advance, kinds):  # type: ignore[no-untyped-def]  # noqa: C901  # a branch a rule
    size = np.int64(1) << bits
    mask, half = size - 1, size >> 1
    n = words.shape[0]
    if n == 0:
        return
    before, last, now = np.int64(-1), np.int64(words[0]), np.int64(words[0])
    high[0] = now
    if n > 2:
        second, third = np.int64(words[1]), np.int64(words[2])
        first_is_behind = (second - last) & mask > half and (third - last) & mask > half
        if first_is_behind and (third - second) & mask < half and last - second <= half:
            kinds[0], high[0] = DAMAGED, -1
            last = now = second
    for k in range(1, n):
        word = np.int64(words[k])
        high[k] = now
        if word == last:
            continue
        ahead = (word - last) & mask
        following = np.int64(words[k + 1]) if k + 1 < n else np.int64(-1)
        returns = following >= 0 and (following - last) & mask < half
        if (word > last and word - last < size - 2) or last - word > half:
            stays_behind = k + 2 < n and (np.int64(words[min(k + 2, n - 1)]) - word) & mask >= half
            if returns and (following - word) & mask >= half and stays_behind:
                kinds[k] = DAMAGED
                _between((following - last) & mask, k, high, advance)
                continue
            now += ahead
        else:
            if following < 0 or (returns and (before < 0 or (word - before) & mask >= half)):
                kinds[k] = DAMAGED
                _between((following - last) & mask if following >= 0 else 0, k, high, advance)
                continue
            comes_back = returns
            for later in range(k + 2, min(n, k + SOON)):
                comes_back |= (np.int64(words[later]) - last) & mask < half
            if not comes_back:
                kinds[k] = RESTART
            now -= (last - word) & mask
        before, last = last, word
        high[k] = now


@njit(cache=True, nogil=True)
def _between(distance, k, high, advance):  # type: ignore[no-untyped-def]
    """A damaged word two before the next good one was the one between, where words come in a row."""
    if distance == 2:
        high[k] += 1
    else:
        advance[k] = distance


def judged(words: np.ndarray, bits: int) -> Clock:
    """The clock of high parts as they are written, unsigned (words,), of so many bits."""
    clock = Clock(*(np.zeros(len(words), kind) for kind in (np.int64, np.int64, np.uint8)))
    _judge(words, bits, *clock)
    return clock


def joined(clock: Clock) -> np.ndarray:
    """int64 (words,): the high part where every restart goes on one tick after what was before."""
    high = clock.high.copy()
    for k in np.flatnonzero(clock.kinds == RESTART).tolist():
        high[k:] += high[k - 1] + 1 - high[k]
    return high


def doubtful_wraps(words: np.ndarray, clock: Clock) -> list[int]:
    """The words at which the clock wrapped with a leap, as it may have begun anew there."""
    steps = np.diff(clock.high, prepend=clock.high[:1])
    wrapped = (steps > 0) & (np.diff(words, prepend=words[:1]) < 0) & (clock.kinds == GOOD)
    if not wrapped.any():
        return []
    usual = int(steps[~wrapped].max(initial=1))
    found: list[int] = np.flatnonzero(wrapped & (steps > LEAP * max(1, usual))).tolist()
    return found
