"""Long recordings in the words of a camera: EVT 3.0 files of any number of events, written block by block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numba import njit

WIDTH, HEIGHT = 1280, 720
WORDS_AT_ONCE = 1 << 22
MOST_WORDS = 32  # that one round of `_fill` may add


@njit(cache=True)
def _draw(state):  # type: ignore[no-untyped-def]
    """The next of a row of random numbers of 64 bits (xorshift)."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    return state ^ (state << np.uint64(17))


@njit(cache=True)
def _fill(words, state, us, left):  # type: ignore[no-untyped-def]
    """(words written, events in them, state, time in us). Stops with the block, or where `left` events are written.

    A step of 1 to 4 us has three rows; a row is one to three lone events, or a vector of 32 pixels of which one in eight fired.
    """
    n, events, high = 0, 0, np.int64(-1)
    while n < len(words) - 32 and events < left:
        state = _draw(state)
        us += 1 + np.int64(state & np.uint64(3))
        if us >> 12 != high:
            high = us >> 12
            words[n] = 0x8000 | high & 0xFFF
            n += 1
        words[n] = 0x6000 | us & 0xFFF
        n += 1
        for _ in range(3):
            state = _draw(state)
            bits = np.int64(state >> np.uint64(1))
            on = bits & 1
            words[n] = (bits >> 1) % 720
            n += 1
            if bits >> 12 & 1:
                words[n] = 0x3000 | on << 11 | (bits >> 13 & 0x7FF) % 1248
                state = _draw(state)
                fired = np.int64((state >> np.uint64(4)) & np.uint64(0xFFFFFFFF))
                state = _draw(state)
                fired &= np.int64((state >> np.uint64(4)) & np.uint64(0xFFFFFFFF))
                state = _draw(state)
                fired &= np.int64((state >> np.uint64(4)) & np.uint64(0xFFFFFFFF))
                words[n + 1] = 0x4000 | fired & 0xFFF
                words[n + 2] = 0x4000 | fired >> 12 & 0xFFF
                words[n + 3] = 0x5000 | fired >> 24 & 0xFF
                n += 4
                while fired:
                    events += int(fired & 1)
                    fired >>= 1
            else:
                for k in range(1 + (bits >> 24 & 0xFF) % 3):
                    words[n] = 0x2000 | on << 11 | (bits >> (30 + 10 * k) & 0x3FF)
                    n += 1
                    events += 1
    return n, events, state, us


def write_evt3(path: Path, events: int, seed: int = 7) -> int:
    """Write a file of at least so many events of a Gen4 camera; the number that it holds, a few more."""
    words = np.empty(WORDS_AT_ONCE, np.uint16)
    state, us, written = np.uint64(seed * 2654435761 + 1), 0, 0
    with path.open("wb") as file:
        file.write(f"% evt 3.0\n% format EVT3;height={HEIGHT};width={WIDTH}\n% end\n".encode())
        while written < events:
            n, more, state, us = _fill(words, state, us, events - written)
            file.write(words[:n].tobytes())
            written += more
    return written
