"""AEDAT 3.1: header lines, then packets with heads of 28 bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from tests.support.formats.shared import EVENTS

HEADER = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: %s\r\n#Start-Time: 2016-06-01 11:37:40 (TZ+0200)\r\n#!END-HEADER\r\n"


def packet(
    kind: int,
    body: bytes,
    size: int,
    number: int,
    valid: int | None = None,
    overflow: int = 0,
    offset: int = 4,
) -> bytes:
    head = (kind, 1, size, offset, overflow, number, number, number if valid is None else valid)
    return struct.pack("<hhiiiiii", *head) + body


def polarity(
    events: Iterable[tuple[int, int, int, int]], overflow: int = 0, invalid: Sequence[int] = ()
) -> bytes:
    """One packet of events (t, x, y, p) whose times lie in the `overflow`-th 2**31 us; `invalid` are indices in it."""
    events = list(events)
    body = b"".join(
        struct.pack("<Ii", x << 17 | y << 2 | p << 1 | (k not in invalid), t - (overflow << 31))
        for k, (t, x, y, p) in enumerate(events)
    )
    return packet(1, body, 8, len(events), len(events) - len(invalid), overflow)


def special(t: int) -> bytes:
    """A packet of type 0 with one special event."""
    return packet(0, struct.pack("<Ii", 1, t), 8, 1)


def imu6(t: int) -> bytes:
    """A packet of type 3 with one sample of 36 bytes."""
    return packet(3, struct.pack("<Ii7f", 1, t, *range(7)), 36, 1)


def write(packets: Iterable[bytes], chip: bytes = b"DVS128") -> bytes:
    return HEADER % chip + b"".join(packets)


def seeds() -> list[bytes]:
    """With packets of other types, of another camera, and without a source line."""
    return [
        write([polarity(EVENTS[:50]), special(5), polarity(EVENTS[50:], invalid=[3])]),
        write([imu6(5), polarity(EVENTS)], b"DAVIS240C"),
        write([polarity(EVENTS)]).replace(b"#Source 1: DVS128\r\n", b""),
    ]
