"""What seeds of several formats are made of: some events, and the beginnings of real recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

Event = tuple[int, int, int, int]  # t, x, y, p

EVENTS: list[Event] = [(k * 37, k * 7 % 100, k * 13 % 90, k % 2) for k in range(1, 120)]
COLUMNS = {name: np.array(values) for name, values in zip("txyp", zip(*EVENTS, strict=True), strict=True)}
SENSOR = (100, 90)


def records(path: Path, size: int, after: bytes = b"") -> bytes:
    """The header of a recording, of lines of # or % or up to the bytes `after`, and whole records of 5, 8 or 40 bytes."""
    data = path.read_bytes()
    start = data.index(after) + len(after) if after else _header_bytes(data)
    return data[: start + (size - start % 8) // 40 * 40]


def lines(path: Path, size: int) -> bytes:
    """The first whole lines of a text file."""
    data = path.read_bytes()
    return data[: data.rindex(b"\n", 0, size) + 1]


def _header_bytes(data: bytes) -> int:
    at = 0
    while data[at : at + 1] in (b"#", b"%") and (end := data.find(b"\n", at)) >= 0:
        at = end + 1
    return at
