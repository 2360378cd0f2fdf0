"""Prophesee DAT: header lines of `%`, event type, size, then words of time and of x, y and polarity."""

from __future__ import annotations

import struct
from collections.abc import Iterable


def write(
    events: Iterable[tuple[int, int, int, int]],
    kind: int = 12,
    size: tuple[int, int] | None = None,
    end: bool = True,
    version: int = 2,
) -> bytes:
    """Events (t, x, y, p) as type 12 (CD) or 0 (2D, of the ATIS)."""
    lines = ["Data file containing CD events.", f"Version {version}", "Date 2017-03-29 14:37:46"]
    lines += [f"Height {size[1]}", f"Width {size[0]}"] if size else []
    lines += ["end"] if end else []
    out = b"".join(f"% {line}\n".encode() for line in lines) + bytes([kind, 8])
    for t, x, y, p in events:
        word = x | y << 14 | p << 28 if kind == 12 else x | y << 9 | p << 17
        out += struct.pack("<II", t % 2**32, word)
    return out
