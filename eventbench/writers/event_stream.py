"""Event Stream 2.0 of DVS events (`.es`): a byte of time and polarity, and x and y, an event.

Open Neuromorphic, "Event Stream specification"; how it is read: `sources/event_stream.py`. A byte 0xFF says that 127 us went by.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.events import Events
from eventbench.writers.base import Documentation, Limits, Size, Writer

VERSION, DVS = (2, 0, 0), 1
LATER, LATER_US = 0xFF, 127
LAST_US = (1 << 26) * LATER_US  # takes 64 MiB of bytes that only advance the clock
BLOCK, EVENT_BYTES = 1 << 20, 5


@njit(cache=True, nogil=True)
def _encode(t, x, y, p, top, state, out):  # type: ignore[no-untyped-def]
    """Fill `out` from (time, event) in `state`, which is brought up to date. Returns how many bytes there are.

    `top` is the last row. Stops where `out` may be full, and is to be called again until all events are done.
    """
    now, i = state[0], state[1]
    n, room = 0, out.shape[0] - EVENT_BYTES
    while i < t.shape[0] and n < room:
        ahead = t[i] - now
        if ahead >= LATER_US:
            out[n] = LATER
            now += LATER_US
            n += 1
            continue
        row = top - np.int64(y[i])
        out[n] = ahead << 1 | p[i]
        out[n + 1], out[n + 2] = x[i] & 0xFF, x[i] >> 8
        out[n + 3], out[n + 4] = row & 0xFF, row >> 8
        now = t[i]
        n += EVENT_BYTES
        i += 1
    state[0], state[1] = now, i
    return n


class EventStream(Writer, frozen=True, forbid_unknown_fields=True):
    """Writer of Event Stream files of DVS events; y counts from the bottom in the file."""

    about: ClassVar[Documentation] = Documentation(
        what="Event Stream 2.0 of DVS events",
        readers="faery",
        sensor="the header",
        holds="sensors up to 65535x65535, times from 0 to 2.3 hours",
        traps="A time far from zero is led up to by bytes of the clock, 7.9 MB for each 1,000 s: write from zero",
    )
    suffixes: ClassVar[tuple[str, ...]] = (".es",)
    source: ClassVar[str] = "event_stream"

    def limits(self) -> Limits:
        """16 bits for a side; times that take at most 64 MiB of bytes of the clock."""
        return Limits(side=65_535, first_us=0, last_us=LAST_US)

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write the header and the events."""
        out, state = np.empty(BLOCK, np.uint8), np.zeros(2, np.int64)
        with path.open("wb") as file:
            file.write(b"Event Stream" + bytes([*VERSION, DVS]) + struct.pack("<HH", *sensor))
            for part in parts:
                state[1] = 0
                while state[1] < len(part):
                    n = _encode(part.t, part.x, part.y, part.p, sensor[1] - 1, state, out)
                    file.write(out[:n].data)
