"""AEDAT 4: a line, a flatbuffer that describes the streams, packets of events (flatbuffers as well), and a table."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.support.formats.shared import EVENTS

Event = tuple[int, int, int, int]
NONE, LZ4, ZSTD = 0, 1, 3


def write(
    packets: Iterable[tuple[int, bytes]],
    size: tuple[int, int] = (100, 90),
    compression: int = NONE,
    table: bytes | None = b"table",
    kinds: Sequence[str] = ("EVTS", "IMUS"),
) -> bytes:
    """Packets (stream, body); stream k is of kinds[k]. `table` None is a recording that was not closed."""
    streams = "".join(
        f'<node name="{k}" path="/mainloop/Recorder/outInfo/{k}/"><attr key="compression" type="string">NONE</attr>'
        f'<attr key="typeIdentifier" type="string">{kind}</attr>'
        f'<node name="info" path="/mainloop/Recorder/outInfo/{k}/info/"><attr key="sizeX" type="int">{size[0]}</attr>'
        f'<attr key="sizeY" type="int">{size[1]}</attr></node></node>'
        for k, kind in enumerate(kinds)
    )
    xml = f'<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">{streams}</node></dv>\n'.encode()
    body = b"".join(struct.pack("<II", stream, len(data)) + data for stream, data in packets)
    # Offset of the root, identifier, table of fields (sizes, then where each of three stands), and the root's values.
    before = struct.pack("<I4s6x5HIi", 24, b"IOHE", 10, 20, 4, 12, 8, 10, compression)
    length = 24 + 20 + 4 + len(xml)
    end = -1 if table is None else 14 + 4 + length + len(body)
    header = before + struct.pack("<IqI", 12, end, len(xml)) + xml
    assert len(header) == length
    return b"#!AER-DAT4.0\r\n" + struct.pack("<I", length) + header + body + (table or b"")


def events(made: Iterable[Event]) -> bytes:
    """An event packet: its size, then a root with one field, a vector of structs of 16 bytes."""
    rows = [struct.pack("<qhh?3x", t, x, y, bool(p)) for t, x, y, p in made]
    # Root at 16 behind the size; its fields are described at 8; the vector, aligned to 8, begins behind a pad.
    data = struct.pack("<I4sHHH2xiI4xI", 16, b"EVTS", 6, 8, 4, 8, 8, len(rows)) + b"".join(rows)
    return struct.pack("<I", len(data)) + data


def lz4(data: bytes, *, linked: bool = True, checksums: bool = False) -> bytes:
    """An LZ4 frame: a block that is not packed, then packed ones whose matches are 16 bytes back, as events are alike.

    `linked` blocks refer to those before them. Checksums are zeros: no reader here looks at them.
    """
    flags = 0x40 | (not linked) << 5 | checksums << 4
    out = struct.pack("<IBBB", 0x184D2204, flags, 0x40, 0)
    size = 400
    for start in range(0, len(data), size):
        block = data[start : start + size]
        packed = None if start == 0 else _lz4_block(data, start, min(start + size, len(data)), linked)
        out += (
            struct.pack("<I", len(block) | 1 << 31) + block
            if packed is None
            else struct.pack("<I", len(packed)) + packed
        )
        out += bytes(4 * checksums)
    return out + bytes(4)


def _lz4_block(data: bytes, start: int, end: int, linked: bool) -> bytes:
    """Literals, and a match wherever four bytes or more are those 16 bytes, or one byte, before."""
    out, literals, at = b"", start, start
    first = 0 if linked else start
    while at < end - 12:  # a block ends in literals
        back = next(
            (
                back
                for back in (16, 1)
                if at - back >= first and data[at : at + 4] == data[at - back : at - back + 4]
            ),
            0,
        )
        if not back:
            at += 1
            continue
        length = 4
        while at + length < end - 5 and data[at + length] == data[at + length - back]:
            length += 1
        out += _lz4_sequence(data[literals:at], back, length)
        at += length
        literals = at
    return out + _lz4_sequence(data[literals:end], 0, 4)


def _lz4_sequence(literals: bytes, back: int, length: int) -> bytes:
    def more(value: int) -> bytes:
        return b"" if value < 15 else b"\xff" * ((value - 15) // 255) + bytes([(value - 15) % 255])

    token = bytes([min(len(literals), 15) << 4 | (min(length - 4, 15) if back else 0)])
    head = token + more(len(literals)) + literals
    return head + (struct.pack("<H", back) + more(length - 4) if back else b"")


def zstd(data: bytes) -> bytes:
    """A Zstandard frame of blocks that are not packed (RFC 8878)."""
    blocks = [data[k : k + 2**17] for k in range(0, len(data), 2**17)] or [b""]
    out = struct.pack("<IBI", 0xFD2FB528, 0xA0, len(data))
    for k, block in enumerate(blocks):
        out += (len(block) << 3 | (k == len(blocks) - 1)).to_bytes(3, "little") + block
    return out


def zstd_zeros(blocks: int) -> bytes:
    """A Zstandard frame of that many times 128 KiB of zeros, four bytes each."""
    head = struct.pack("<IBQ", 0xFD2FB528, 0xE0, blocks * 2**17)
    return head + b"".join(
        (2**17 << 3 | 1 << 1 | (k == blocks - 1)).to_bytes(3, "little") + b"\0" for k in range(blocks)
    )


def seeds() -> list[bytes]:
    """Plain and packed, with a table at the end and without."""
    files = []
    for compression, pack in ((NONE, bytes), (LZ4, lz4), (ZSTD, zstd)):
        packets = [(0, pack(events(EVENTS[:60]))), (1, b"imu"), (0, pack(events(EVENTS[60:])))]
        files += [write(packets, compression=compression, table=table) for table in (None, b"table")]
    return files


def heads(recordings: Path) -> list[bytes]:
    data = (recordings / "dvxplorer_lite.aedat4").read_bytes()
    return [first_packets(data, size) for size in (20_000, 90_000)]


def first_packets(data: bytes, size: int) -> bytes:
    """The first whole packets of a file (a line, a header, packets, a table), and no table after them."""

    def u32(at: int) -> int:
        return int.from_bytes(data[at : at + 4], "little")

    start = end = 14 + 4 + u32(14)
    cut = start
    while u32(end) < 16:  # the number of a stream; the table has none
        end += 8 + u32(end + 4)
        cut = end if end <= size else cut
    table = end.to_bytes(8, "little")
    assert data[:start].count(table) == 1
    return data[:start].replace(table, b"\xff" * 8) + data[start:cut]
