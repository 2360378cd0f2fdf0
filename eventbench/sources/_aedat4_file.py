"""What an AEDAT 4 file is made of, checked before faery sees it: faery takes the header and all sizes on trust.

A line, a size and a flatbuffer (compression, offset of the table at the end, description in XML), then packets: stream, size
and that many bytes, packed one by one. iniVation, "AEDAT 4 file format"; Google, "FlatBuffers internals"; "LZ4 frame format"; RFC 8878 (Zstandard).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from eventbench.errors import BadRecording

LINE = b"#!AER-DAT4.0\r\n"
NONE, LZ4, LZ4_HIGH, ZSTD, ZSTD_HIGH = range(5)
ZSTD_BLOCK = 1 << 17
LZ4_FRAME = 0x184D2204
LEAST = 12  # bytes of a size, an offset and the identifier, which faery takes for granted
MOST_TIMES = 1100  # what a packet may unpack to, times the file's size; LZ4 and real events stay far below


class Packet(NamedTuple):
    """A packet: its stream, and where it begins and ends, its head of 8 bytes included."""

    stream: int
    start: int
    end: int


class Aedat4File(NamedTuple):
    """`header` is the file's beginning, changed to say that no table follows, and packets are read until there is none."""

    header: bytes
    compression: int
    packets: list[Packet]


def checked(data: bytes, name: str) -> Aedat4File:
    """The parts of a file. Raises BadRecording, with the offset, where one does not fit into it."""
    size = _u32(data, len(LINE)) if len(data) >= len(LINE) + 4 else 0
    start = len(LINE) + 4 + size
    if not data.startswith(LINE) or not size or start > len(data):
        raise _damaged("the header", len(LINE), "goes beyond the end of the file", data, name)
    fields = _fields(data[len(LINE) + 4 : start], name)
    compression = _int(fields, 0, 4, 0)
    if compression not in range(5):
        raise BadRecording(f"compression {compression}", where=name, allowed="none, LZ4 or Zstandard: 0 to 4")
    _check_description(fields, name)
    table = _int(fields, 1, 8, -1)
    packets = list(_packets(data, start, len(data) if table < 0 else table, name))
    header = bytearray(data[:start])
    if 1 in fields.at:
        at = len(LINE) + 4 + fields.at[1]
        header[at : at + 8] = b"\xff" * 8  # -1
    return Aedat4File(bytes(header), compression, packets)


def packets_of(file: Aedat4File, stream: int, data: bytes, name: str) -> Iterator[bytes]:
    """The packets of one stream, heads included. Raises BadRecording for one that unpacks to too much or too little."""
    for packet in file.packets:
        if packet.stream != stream:
            continue
        size = _UNPACKED[file.compression](data, packet.start + 8, packet.end)
        if size > MOST_TIMES * len(data):
            raise _damaged("the packet", packet.start, "says it unpacks to far more than it can", data, name)
        if size < LEAST:
            raise _damaged("the packet", packet.start, "unpacks to too few bytes", data, name)
        yield data[packet.start : packet.end]


class _Table(NamedTuple):
    """A flatbuffer's root table: its bytes, and where the value of each field that it has stands in them."""

    data: bytes
    at: dict[int, int]


def _fields(data: bytes, name: str) -> _Table:
    """The three fields of the header. Raises BadRecording where an offset leads out of it."""
    try:
        (root,) = struct.unpack_from("<I", data, 0)
        (back,) = struct.unpack_from("<i", data, root)
        entries, size = struct.unpack_from("<HH", data, root - back) if root >= back else (0, 0)
        if entries < 4 or root + size > len(data) or root - back + entries > len(data):
            raise ValueError
        at: dict[int, int] = {}
        for k, width in enumerate((4, 8, 4)):
            if 4 + 2 * k + 2 <= entries:
                (offset,) = struct.unpack_from("<H", data, root - back + 4 + 2 * k)
                if offset and not 4 <= offset <= size - width:
                    raise ValueError
                at |= {k: root + offset} if offset else {}
    except (struct.error, ValueError):
        raise BadRecording("its header is damaged", where=name, fix="fetch the file again") from None
    return _Table(data, at)


def _check_description(table: _Table, name: str) -> None:
    """Raises BadRecording where there is no text that describes the streams."""
    data, at = table.data, table.at.get(2, 0)
    start = at + _u32(data, at) if at else 0
    end = start + 4 + _u32(data, start) if at and start + 4 <= len(data) else len(data) + 1
    try:
        if end > len(data):
            raise ValueError
        data[start + 4 : end].decode("utf-8")
    except ValueError:
        raise BadRecording(
            "its header describes no streams", where=name, fix="fetch the file again"
        ) from None


def _packets(data: bytes, at: int, end: int, name: str) -> Iterator[Packet]:
    while at < end:
        if at + 8 > len(data) or at + 8 + _u32(data, at + 4) > len(data):
            raise _damaged("truncated: the packet", at, "goes beyond the end of the file", data, name)
        packet = Packet(_u32(data, at), at, at + 8 + _u32(data, at + 4))
        yield packet
        at = packet.end
    if at > end:
        raise _damaged("the packet before", at, f"reaches into the table at byte {end:,}", data, name)


def _zstd_bytes(data: bytes, at: int, end: int) -> int:
    """Bytes that Zstandard frames unpack to at most, from the heads of their blocks; what is wrong with them faery says."""
    total = 0
    while at + 5 <= end:
        if _u32(data, at) & 0xFFFFFFF0 == 0x184D2A50:  # a frame to skip
            at += 8 + (_u32(data, at + 4) if at + 8 <= end else 0)
            continue
        flags = data[at + 4]
        single = flags >> 5 & 1
        at += 5 + (not single) + (0, 1, 2, 4)[flags & 3] + (single, 2, 4, 8)[flags >> 6]
        last = 0
        while not last and at + 3 <= end:
            head = int.from_bytes(data[at : at + 3], "little")
            last, kind, size = head & 1, head >> 1 & 3, head >> 3
            total += ZSTD_BLOCK if kind == 2 else size
            at += 3 + (1 if kind == 1 else size)
        at += 4 * (flags >> 2 & 1)
    return total


def _lz4_bytes(data: bytes, at: int, end: int) -> int:
    """Bytes that an LZ4 frame unpacks to, of whole blocks, counted until there are enough: it packs at most 255 to 1."""
    if at + 7 > end or _u32(data, at) != LZ4_FRAME:
        return 0
    flags, total = data[at + 4], 0
    at += 7 + 8 * (flags >> 3 & 1) + 4 * (flags & 1)
    while at + 4 <= end and total < LEAST and (size := _u32(data, at)):
        start, raw = at + 4, size >> 31
        at = start + (size & 0x7FFFFFFF)
        if at <= end:
            total += at - start if raw else _lz4_block_bytes(data, start, at)
        at += 4 * (flags >> 4 & 1)
    return total


def _lz4_block_bytes(data: bytes, at: int, end: int) -> int:
    total = 0
    while at < end and total < LEAST:
        token, at = data[at], at + 1
        for length, more in ((token >> 4, 0), (token & 15, 4)):
            if more:
                at += 2  # how far back the match is
            if length == 15:
                while at < end:
                    length, at = length + data[at], at + 1
                    if data[at - 1] != 255:
                        break
            if more and at > end:
                return total  # the last sequence has no match
            total += length + more
            at += 0 if more else length
    return total


def _plain_bytes(data: bytes, at: int, end: int) -> int:  # noqa: ARG001  # called as the others are
    return end - at


_UNPACKED = {
    NONE: _plain_bytes,
    LZ4: _lz4_bytes,
    LZ4_HIGH: _lz4_bytes,
    ZSTD: _zstd_bytes,
    ZSTD_HIGH: _zstd_bytes,
}


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _int(table: _Table, field: int, width: int, default: int) -> int:
    at = table.at.get(field)
    return default if at is None else int.from_bytes(table.data[at : at + width], "little", signed=True)


def _damaged(part: str, at: int, problem: str, data: bytes, name: str) -> BadRecording:
    return BadRecording(
        f"{part} at byte {at:,} {problem} ({len(data):,} bytes)", where=name, fix="fetch the file again"
    )
