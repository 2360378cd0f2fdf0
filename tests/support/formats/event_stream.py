"""Event Stream 2.0 of DVS events: a byte holds 7 bits of time and the polarity; longer times take bytes before it."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from tests.support.formats.shared import EVENTS, SENSOR


def write(events: Iterable[tuple[int, int, int, int]], size: tuple[int, int], kind: int = 1) -> bytes:
    """Events (t, x, y, p) with y from the top; the file counts it from the bottom."""
    out, before = b"Event Stream" + bytes([2, 0, 0, kind]) + struct.pack("<HH", *size), 0
    for t, x, y, p in events:
        ahead, before = t - before, t
        while ahead >= 127:  # 0xFF: 127 us more, and no event yet
            out += b"\xff"
            ahead -= 127
        out += bytes([ahead << 1 | p]) + struct.pack("<HH", x, size[1] - 1 - y)
    return out


def seeds() -> list[bytes]:
    return [write(EVENTS, SENSOR)]


def heads(recordings: Path) -> list[bytes]:
    return [(recordings / "pokerdvs_club.es").read_bytes()]  # events have no one length to cut it by
