"""Prophesee RAW of EVT 3.0 (`.raw`): words of 16 bits, each of which says what has changed: time, row, or the event's column.

Prophesee, "EVT 3.0 format"; how its words are read: `sources/_evt/evt3.py`. The 24 bits of time wrap every 16.8 s. Every value
of the high part is written, also where no event has it, as a camera does: some decoders know a wrap by 4095 before 0 only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.events import Events
from eventbench.writers._evt_header import MOST_SIDE, header
from eventbench.writers.base import Documentation, Limits, Size, Writer

ROW, COLUMN, LOW, TIME_HIGH = 0 << 12, 2 << 12, 6 << 12, 8 << 12
LOW_BITS, HIGH_BITS = 12, 12
LAST_US = 2**37 - 1  # takes 64 MiB of words that only advance the clock
BLOCK = 1 << 20


@njit(cache=True, nogil=True)
def _encode(t, x, y, state, words):  # type: ignore[no-untyped-def]
    """Fill `words` from (high, low, row, event) in `state`, which is brought up to date. Returns how many there are.

    `x` has the polarity in bit 11. Stops where `words` may be full, and is to be called again until all events are done.
    """
    high, low, row, i = state[0], state[1], state[2], state[3]
    n, room = 0, words.shape[0] - 4
    while i < t.shape[0] and n < room:
        now = t[i] >> LOW_BITS
        if high < now:
            high, low = (
                high + 1,
                np.int64(-1),
            )  # decoders do not agree on what the low part is until a word says it
            words[n] = TIME_HIGH | (high & 0xFFF)
            n += 1
            continue
        if t[i] & 0xFFF != low:
            low = t[i] & 0xFFF
            words[n] = LOW | low
            n += 1
        if y[i] != row:
            row = np.int64(y[i])
            words[n] = ROW | row
            n += 1
        words[n] = COLUMN | x[i]
        n += 1
        i += 1
    state[0], state[1], state[2], state[3] = high, low, row, i
    return n


class Evt3(Writer, frozen=True, forbid_unknown_fields=True):
    """Writer of EVT 3.0: each event a word of its own, none of the words of several pixels at once."""

    about: ClassVar[Documentation] = Documentation(
        what="Prophesee RAW, EVT 3.0",
        readers="faery, evutils, eventcv",
        sensor="the header",
        holds="sensors up to 2048x2048, times from 0 to 2^37 - 1 us (38 hours)",
        traps=(
            "A time far from zero is led up to by words of the clock, 0.5 MB for each 1,000 s: write from zero. expelliarmus "
            "gives wrong times of EVT 3, of files of cameras too: for it, write EVT 2."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".raw",)
    source: ClassVar[str] = "evt"

    def limits(self) -> Limits:
        """11 bits of x and y; times that take at most 64 MiB of words of the clock."""
        return Limits(side=MOST_SIDE, first_us=0, last_us=LAST_US)

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write the header and the words."""
        words = np.empty(BLOCK, "<u2")
        state = np.array([-2, -1, -1, 0], np.int64)
        with path.open("wb") as file:
            file.write(header("3.0", sensor))
            for part in parts:
                if not len(part):
                    continue
                if state[0] == -2:
                    first = int(part.t[0]) >> LOW_BITS
                    state[0] = first - 1 if first < 1 << HIGH_BITS else -1
                state[3] = 0
                columns = part.x | part.p.astype(np.uint16) << 11
                while state[3] < len(part):
                    file.write(words[: _encode(part.t, columns, part.y, state, words)].data)
