"""Prophesee DAT: header lines of `%`, event type, size, then words of time and of x, y and polarity."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from tests.support.formats.shared import EVENTS, SENSOR, records

# As the files of N-CARS begin: version 2, events of type 0, no size.
N_CARS = b"% Data file containing Event2D events.\n% Version 2\n% Date 2016-11-29 15:51:20\n\x00\x08"


def write(
    events: Iterable[tuple[int, int, int, int]],
    kind: int = 12,
    size: tuple[int, int] | None = None,
    end: bool = True,
    version: int | None = 2,
) -> bytes:
    """Events (t, x, y, p) as type 12 (CD) or 0 (2D); the version, not the type, says how a word is laid out.

    `version` None writes no line of it, as the first files had none, and their layout, which is that of version 1.
    """
    lines = ["Data file containing CD events."]
    lines += [] if version is None else [f"Version {version}"]
    lines += ["Date 2017-03-29 14:37:46"]
    lines += [f"Height {size[1]}", f"Width {size[0]}"] if size else []
    lines += ["end"] if end else []
    return b"".join(f"% {line}\n".encode() for line in lines) + bytes([kind, 8]) + words(events, version or 1)


def words(events: Iterable[tuple[int, int, int, int]], version: int) -> bytes:
    """The events alone, laid out as this version has them."""
    y_at, p_at = (14, 28) if version == 2 else (9, 17)
    return b"".join(struct.pack("<II", t % 2**32, x | y << y_at | p << p_at) for t, x, y, p in events)


def seeds() -> list[bytes]:
    """Of both event types and versions, with a size and without, and as N-CARS begins."""
    files = [
        write(EVENTS, kind, SENSOR if end else None, end, version)
        for kind in (0, 12)
        for end in (False, True)
        for version in (None, 1, 2)
    ]
    return [*files, N_CARS + words(EVENTS, 2)]


def heads(recordings: Path) -> list[bytes]:
    return [records(recordings / "evk4_rect_dat2.dat", 8_000, after=b"% end\n\x0c\x08")]
