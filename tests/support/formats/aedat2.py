"""AEDAT 2.0: header lines and records of a 32-bit address and a 32-bit time, big-endian."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from tests.support.formats.shared import EVENTS, records

HEADER = b"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n# Timestamps tick is 1 us\r\n"
CHIP = b"# AEChip: ch.unizh.ini.jaer.chip.retina.%s\r\n"


def write(
    events: Iterable[tuple[int, int, int, int]],
    chip: str = "DVS128",
    named: bool = True,
    others: Iterable[int] = (),
) -> bytes:
    """Events (t, x, y, p) in image coordinates; `others` are addresses that are no events, written between them."""
    out = HEADER + (CHIP % chip.encode() if named else b"")
    extra = list(others)
    for t, x, y, p in events:
        out += struct.pack(">II", address(x, y, p, chip), t % 2**32)
        if extra:
            out += struct.pack(">II", extra.pop(), t % 2**32)
    return out


def address(x: int, y: int, p: int, chip: str = "DVS128") -> int:
    if chip.startswith("DVS128"):
        return (127 - y) << 8 | (127 - x) << 1 | (1 - p)
    width, height = (240, 180) if "240" in chip else (346, 260)
    return (height - 1 - y) << 22 | (width - 1 - x) << 12 | p << 11


def seeds() -> list[bytes]:
    """Of three cameras, and one whose header names none."""
    named = [write(EVENTS, chip) for chip in ("DVS128", "DAVIS240C", "DAVIS346B")]
    return [*named, write(EVENTS, named=False)]


def heads(recordings: Path) -> list[bytes]:
    names = (
        "davis240c_mixed",
        "dvs128_walking",
        "dvs128_checkerboard_noheaderchip",
        "cochlea_not_a_camera",
    )
    return [records(recordings / f"{name}.aedat", 8_000) for name in names]
