"""Prophesee RAW of EVT 2.0 (`.raw`): a word of 32 bits an event, and one wherever the high 28 bits of the time change.

Prophesee, "EVT 2.0 format"; how its words are read: `sources/_evt/evt2.py`.
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

LOW_BITS, TIME_BITS = 6, 34
TIME_HIGH = np.uint32(8 << 28)


@njit(cache=True, nogil=True)
def _encode(t, x, y, p, high, words):  # type: ignore[no-untyped-def]
    """Fill `words` (2 * events, at most). Returns how many there are, and the high part of the last time."""
    n = 0
    for i in range(t.shape[0]):
        now = t[i] >> LOW_BITS
        if now != high:
            high = now
            words[n] = TIME_HIGH | np.uint32(now)
            n += 1
        low = np.uint32(t[i] & 63)
        words[n] = np.uint32(p[i]) << 28 | low << 22 | np.uint32(x[i]) << 11 | np.uint32(y[i])
        n += 1
    return n, high


class Evt2(Writer, frozen=True, forbid_unknown_fields=True):
    """Writer of EVT 2.0."""

    about: ClassVar[Documentation] = Documentation(
        what="Prophesee RAW, EVT 2.0",
        readers="faery, expelliarmus, evutils, eventcv",
        sensor="the header",
        holds="sensors up to 2048x2048, times from 0 to 2^34 - 1 us (4.7 hours)",
        traps="none",
    )
    source: ClassVar[str] = "evt"

    def limits(self) -> Limits:
        """11 bits of x and y, 34 bits of time."""
        return Limits(side=MOST_SIDE, first_us=0, last_us=2**TIME_BITS - 1)

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write the header and the words."""
        high = np.int64(-1)
        with path.open("wb") as file:
            file.write(header("2.0", sensor))
            for part in parts:
                words = np.empty(2 * len(part), "<u4")
                n, high = _encode(part.t, part.x, part.y, part.p, high, words)
                file.write(words[:n].data)
