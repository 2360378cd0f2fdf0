"""AEDAT and what it is packed with, decoded slowly and plainly: what the package's kernels are held against."""

from __future__ import annotations

import re
import struct

import numpy as np

Row = tuple[int, int, int, int]


def header_lines(data: bytes) -> tuple[list[bytes], int]:
    """The header's lines without their ends, and the offset at which the binary part begins."""
    lines: list[bytes] = []
    at, first = 0, False
    while data[at : at + 1] == b"#":
        end = data.find(b"\n", at)
        if end < 0:
            return lines, at
        ending, line = data[end - 1] == 13, data[at:end].rstrip(b"\r")
        control = re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", line)
        if lines and (control or (len(line) < 3 and ending != first)):
            break
        first = ending if not lines else first
        lines.append(line)
        at = end + 1
        if line.startswith((b"#!END-HEADER", b"#End Of ASCII Header")):
            break
    return lines, at


def aedat2_events(body: bytes, davis: bool, size: tuple[int, int], keep: bool) -> tuple[list[Row], int]:
    """Events of whole records before any check, times unwrapped, and how many are marked as special."""
    rows: list[Row] = []
    steps: list[int] = []
    marked, last, base = 0, None, 0
    for address, clock in struct.iter_unpack(">II", body[: len(body) // 8 * 8]):
        if davis:
            special = address & 0x80000400 == 0x400 and address & 0xFFFFF3FF != 0
            event = address & 0x80000400 == 0 or (special and keep)
            x, y, p = address >> 12 & 0x3FF, address >> 22 & 0x1FF, address >> 11 & 1
        else:
            special, event = False, not address & 0x8000
            x, y, p = address >> 1 & 0x7F, address >> 8 & 0x7F, 1 - (address & 1)
        marked += special
        if not event:
            continue
        step = 0 if last is None else clock - last
        # A step back of over half the range is a wrap, but for the one after an event that lies as far ahead alone.
        if step < -(2**31) and not (steps and steps[-1] > 2**31):
            base += 2**32
        steps.append(step)
        last = clock
        rows.append((clock + base, size[0] - 1 - x, size[1] - 1 - y, p))
    return rows, marked


def aedat31_events(data: bytes) -> list[Row]:
    """Valid polarity events of sound packets."""
    rows: list[Row] = []
    at = 0
    while at < len(data):
        kind, _, size, offset, overflow, _, number, _ = struct.unpack_from("<hhiiiiii", data, at)
        at += 28
        for k in range(number if kind == 1 else 0):
            (word,) = struct.unpack_from("<I", data, at + k * size)
            (clock,) = struct.unpack_from("<i", data, at + k * size + offset)
            if word & 1:
                rows.append((clock + (overflow << 31), word >> 17, word >> 2 & 0x7FFF, word >> 1 & 1))
        at += size * number
    return rows


def lz4_frame(frame: bytes, size: int) -> bytes | None:
    """What an LZ4 frame holds; None where it is damaged or holds another number of bytes."""
    if len(frame) < 7 or frame[:4] != b"\x04\x22\x4d\x18" or frame[4] >> 6 != 1:
        return None
    at = 7 + 8 * (frame[4] >> 3 & 1) + 4 * (frame[4] & 1)
    out = bytearray()
    while at + 4 <= len(frame):
        head = int.from_bytes(frame[at : at + 4], "little")
        at += 4
        if head == 0:
            return bytes(out) if len(out) == size else None
        end = at + (head & 0x7FFFFFFF)
        if end > len(frame) or not _lz4_block(frame[at:end], out, bool(head >> 31), size):
            return None
        at = end + 4 * (frame[4] >> 4 & 1)
    return None


def _lz4_block(block: bytes, out: bytearray, plain: bool, size: int) -> bool:
    if plain:
        out += block
        return len(out) <= size
    at = 0
    while at < len(block):
        token = block[at]
        length, at = _length(block, at + 1, token >> 4)
        if at + length > len(block) or len(out) + length > size:
            return False
        out += block[at : at + length]
        at += length
        if at >= len(block):
            return True
        if at + 2 > len(block):
            return False
        back = int.from_bytes(block[at : at + 2], "little")
        length, at = _length(block, at + 2, token & 15)
        if not 0 < back <= len(out) or len(out) + length + 4 > size:
            return False
        for _ in range(length + 4):
            out.append(out[-back])
    return True


def _length(block: bytes, at: int, nibble: int) -> tuple[int, int]:
    length = nibble
    while nibble == 15 and at < len(block):
        length, at = length + block[at], at + 1
        if block[at - 1] != 255:
            break
    return length, at


def aedat4_events(content: bytes) -> list[Row] | None:
    """Events of a packet that is unpacked; None where an offset leads out of it."""
    try:
        data = content[4:]
        (root,) = struct.unpack_from("<I", data)
        if data[4:8] != b"EVTS":
            return None
        table = root - struct.unpack_from("<i", data, root)[0]
        if table < 0:
            return None
        entries, size = struct.unpack_from("<HH", data, table)
        field = struct.unpack_from("<H", data, table + 4)[0] if entries >= 6 else 0
        if not field:
            return []
        if field > size:
            return None
        at = root + field
        at += struct.unpack_from("<I", data, at)[0]
        (number,) = struct.unpack_from("<I", data, at)
        if at + 4 + 16 * number > len(data):
            return None
        rows = struct.iter_unpack("<qHHB3x", data[at + 4 : at + 4 + 16 * number])
        return [(t, x, y, int(p != 0)) for t, x, y, p in rows]
    except struct.error:
        return None


def rows_of(columns: tuple[np.ndarray, ...]) -> list[Row]:
    """Columns t, x, y, p as rows; x and y as they are stored in 16 bits."""
    t, x, y, p = columns
    return list(
        zip(t.tolist(), x.view(np.uint16).tolist(), y.view(np.uint16).tolist(), p.tolist(), strict=True)
    )
