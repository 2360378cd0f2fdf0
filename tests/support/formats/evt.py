"""Prophesee RAW: EVT 2.0 (32-bit words), 2.1 (64-bit, 32 pixels each), 3.0 (16-bit words) and 4.0 (32-bit, one or two an event)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from tests.support.formats.shared import EVENTS, SENSOR, records

Event = tuple[int, int, int, int]


def header(version: str, size: tuple[int, int] | None = None) -> bytes:
    lines = ["Date 2020-09-25 07:48:29", f"evt {version}"]
    lines += [f"geometry {size[0]}x{size[1]}"] if size else []
    return b"".join(f"% {line}\n".encode() for line in lines) + (b"% end\n" if size else b"")


def evt2(events: Iterable[Event], size: tuple[int, int] | None = None, triggers: bool = False) -> bytes:
    out, high = header("2.0", size), -1
    for t, x, y, p in events:
        if t >> 6 != high:
            high = t >> 6
            out += struct.pack("<I", 0x8 << 28 | high % 2**28)
        if triggers:
            out += struct.pack("<I", 0xA << 28 | (t & 63) << 22 | 1)
        out += struct.pack("<I", p << 28 | (t & 63) << 22 | x << 11 | y)
    return out


def evt21(events: Iterable[Event], size: tuple[int, int] | None = None) -> bytes:
    """Each event in a word of its own: 32 pixels from x on, of which one is set."""
    out, high = header("2.1", size), -1
    for t, x, y, p in events:
        if t >> 6 != high:
            high = t >> 6
            out += struct.pack("<Q", 0x8 << 60 | high % 2**28 << 32)
        base = x - x % 32
        out += struct.pack("<Q", p << 60 | (t & 63) << 54 | base << 43 | y << 32 | 1 << x % 32)
    return out


def evt4(events: Iterable[Event], size: tuple[int, int] | None = None, vectors: bool = True) -> bytes:
    """Events in words of their own, and, if `vectors`, those of odd times as 32 pixels of which one is set."""
    out, high = header("4.0", size), -1
    for t, x, y, p in events:
        if t >> 6 != high:
            high = t >> 6
            out += struct.pack("<I", 0xE << 28 | high % 2**28)
        if vectors and t % 2:
            place = (t & 63) << 22 | (x - x % 32) << 11 | y
            out += struct.pack("<II", (0xC + p) << 28 | place, 1 << x % 32)
        else:
            out += struct.pack("<I", (0xA + p) << 28 | (t & 63) << 22 | x << 11 | y)
    return out


def evt3(events: Iterable[Event], size: tuple[int, int] | None = None) -> bytes:
    """Single events, a word of x each; times below 2**24, or forward by less than that."""
    out, high, low, row = header("3.0", size), -1, -1, -1
    for t, x, y, p in events:
        if t >> 12 != high:  # a sensor writes every one: a decoder knows a wrap by 4095 before 0
            for step in range(high + 1 if high >= 0 else t >> 12, (t >> 12) + 1):
                out += struct.pack("<H", 0x8 << 12 | step % 2**12)
            high, low = t >> 12, -1
        if t & 4095 != low:
            low = t & 4095
            out += struct.pack("<H", 0x6 << 12 | low)
        if y != row:
            row = y
            out += struct.pack("<H", y)
        out += struct.pack("<H", 0x2 << 12 | p << 11 | x)
    return out


def evt3_vector(t: int, x: int, y: int, p: int, twelve: int, eight: int) -> bytes:
    """A base, 12 pixels from it on and 8 more, as their bits say."""
    words = [
        0x8 << 12 | t >> 12,
        0x6 << 12 | t & 4095,
        y,
        0x3 << 12 | p << 11 | x,
        0x4 << 12 | twelve,
        0x5 << 12 | eight,
    ]
    return struct.pack("<6H", *words)


def seeds() -> list[bytes]:
    """Of the four encodings, with a size and without, and words of many pixels."""
    return [
        evt2(EVENTS, SENSOR),
        evt2(EVENTS, triggers=True),
        evt21(EVENTS, SENSOR),
        evt3(EVENTS, SENSOR),
        evt3(EVENTS),
        evt21(EVENTS),
        evt4(EVENTS, SENSOR),
        evt4(EVENTS),
        header("3.0", (1280, 720)) + evt3_vector(4097, 100, 7, 1, 0b100000000011, 0b10000001) * 20,
    ]


def heads(recordings: Path) -> list[bytes]:
    return [records(recordings / name, 8_000) for name in ("gen3_evt2.raw", "evk3_evt3.raw")]
