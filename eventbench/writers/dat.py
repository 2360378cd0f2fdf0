"""Prophesee DAT (`.dat`), version 2, CD events: 8 bytes an event, the time in 32 bits.

Prophesee, "DAT file format"; how it is read: `sources/dat.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.writers.base import Documentation, Limits, Size, Writer

CD, EVENT_BYTES = 12, 8
XY_BITS, TIME_BITS = 14, 32


class Dat(Writer, frozen=True, forbid_unknown_fields=True):
    """Writer of DAT, version 2."""

    about: ClassVar[Documentation] = Documentation(
        what="Prophesee DAT, version 2, CD events",
        readers="faery, expelliarmus, evutils, eventcv",
        sensor="the header",
        holds="sensors up to 16384x16384, times from 0 to 2^32 - 1 us (71 minutes)",
        traps="none",
    )
    suffixes: ClassVar[tuple[str, ...]] = (".dat",)
    source: ClassVar[str] = "dat"

    def limits(self) -> Limits:
        """14 bits of x and y, 32 of time; a clock that wraps is not known to all readers."""
        return Limits(side=1 << XY_BITS, first_us=0, last_us=2**TIME_BITS - 1)

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write the header, the type and size of an event, and the events."""
        lines = ("Data file containing CD events.", "Version 2", f"Height {sensor[1]}", f"Width {sensor[0]}")
        with path.open("wb") as file:
            file.write("".join(f"% {line}\n" for line in (*lines, "end")).encode("ascii"))
            file.write(bytes([CD, EVENT_BYTES]))
            for part in parts:
                words = np.empty((len(part), 2), "<u4")
                words[:, 0] = part.t
                word = part.p.astype(np.uint32) << 14
                word |= part.y
                word <<= 14
                word |= part.x
                words[:, 1] = word
                file.write(words.data)
