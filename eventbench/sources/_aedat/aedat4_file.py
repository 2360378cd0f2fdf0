"""What an AEDAT 4 file is made of: its header, its streams, and where its packets lie, each checked before it is followed.

A line, a size and a flatbuffer (compression, offset of the table at the end, description in XML), then packets: stream, size
and that many bytes, packed one by one. iniVation, "AEDAT 4 file format"; Google, "FlatBuffers internals".
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from eventbench.errors import BadRecording
from eventbench.sources._aedat.aedat4_kernels import list_packets, packet_number
from eventbench.sources._aedat.stretches import File

LINE = b"#!AER-DAT4.0\r\n"


class Stream(NamedTuple):
    """A stream: what is in it ("EVTS" are events) and, where the header says it, its sensor's (width, height)."""

    kind: str
    size: tuple[int, int] | None


class Aedat4File(NamedTuple):
    """`streams` by their id; `cut` says where the file is cut off, "" where it is whole.

    packets : int64 (packets, 3), the stream of each, and where it begins and ends, its head of 8 bytes included
    """

    compression: int
    streams: Mapping[int, Stream]
    packets: np.ndarray
    cut: str

    def packets_of(self, stream: int) -> np.ndarray:
        """int64 (packets, 3): those of one stream, in the file's order."""
        packets: np.ndarray = self.packets[self.packets[:, 0] == stream]
        return packets


class Header(NamedTuple):
    """The beginning of a file: where its packets begin, and where its table does, -1 where it was not closed."""

    compression: int
    streams: Mapping[int, Stream]
    start: int
    table: int


def checked(data: np.ndarray, name: str) -> Aedat4File:
    """The parts of a file of these bytes, uint8. Raises BadRecording, with the offset, where one does not fit into it.

    A packet that goes beyond the end of the file is not among its packets.
    """
    header = header_of(data[: _header_end(data)].tobytes(), name)
    end = len(data) if header.table < 0 else header.table
    number, at, cut = packet_number(data, header.start, end)
    packets = np.empty((number, 3), np.int64)
    list_packets(data, header.start, packets)
    return Aedat4File(header.compression, header.streams, packets, _cut(at, end, cut, len(data), name))


def looked_through(file: File) -> Aedat4File:
    """As `checked`, without the bytes of packets in memory."""
    first = file.read(0, min(len(LINE) + 4, file.size))
    header = header_of(file.read(0, min(_header_end(first), file.size)).tobytes(), file.name)
    end = file.size if header.table < 0 else header.table
    packets, at, cut = _on_disk(file, header.start, end)
    return Aedat4File(header.compression, header.streams, packets, _cut(at, end, cut, file.size, file.name))


def packets_between(file: File, start: int, stop: int) -> np.ndarray:
    """int64 (packets, 3): the whole packets between two places at which packets begin or end."""
    return _on_disk(file, start, stop)[0]


def _on_disk(file: File, at: int, end: int) -> tuple[np.ndarray, int, bool]:
    """As `packet_number` and `list_packets`, of which only the heads are read."""
    packets = array("q")
    while at < end:
        head = file.read(at, at + 8).tobytes() if at + 8 <= file.size else b""
        stop = at + 8 + _u32(head, 4)
        if not head or stop > file.size:
            return np.array(packets, np.int64).reshape(-1, 3), at, True
        packets.extend((_u32(head, 0), at, stop))
        at = stop
    return np.array(packets, np.int64).reshape(-1, 3), at, False


def _header_end(first: np.ndarray) -> int:
    """Where the header of a file that begins so says that it ends; all that there is where it is shorter."""
    return len(LINE) + 4 + _u32(first[: len(LINE) + 4].tobytes(), len(LINE))


def header_of(data: bytes, name: str) -> Header:
    """The header at the beginning of a file. Raises BadRecording where it is damaged."""
    size = _u32(data, len(LINE)) if len(data) >= len(LINE) + 4 else 0
    start = len(LINE) + 4 + size
    if not data.startswith(LINE) or not size or start > len(data):
        raise _damaged("the header", len(LINE), "goes beyond the end of the file", len(data), name)
    fields = _fields(data[len(LINE) + 4 : start], name)
    compression = _int(fields, 0, 4, 0)
    if compression not in range(5):
        raise BadRecording(f"compression {compression}", where=name, allowed="none, LZ4 or Zstandard: 0 to 4")
    streams = _streams(_description(fields, name))
    if streams is None:
        what = "the text in its header that describes its streams is damaged"
        raise BadRecording(what, where=name, fix="fetch the file again")
    return Header(compression, streams, start, _int(fields, 1, 8, -1))


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


def _description(table: _Table, name: str) -> str:
    """The text that describes the streams. Raises BadRecording where there is none."""
    data, at = table.data, table.at.get(2, 0)
    start = at + _u32(data, at) if at else 0
    end = start + 4 + _u32(data, start) if at and start + 4 <= len(data) else len(data) + 1
    try:
        if end > len(data):
            raise ValueError
        return data[start + 4 : end].decode("utf-8")
    except ValueError:
        raise BadRecording(
            "its header describes no streams", where=name, fix="fetch the file again"
        ) from None


@lru_cache(maxsize=32)  # the recordings of one camera describe their streams in the same words
def _streams(description: str) -> Mapping[int, Stream] | None:
    """The streams by their id; None where the text is damaged."""
    streams: dict[int, Stream] = {}
    try:
        if "<!" in description:  # what could define entities
            raise ElementTree.ParseError
        root = ElementTree.fromstring(description.rstrip("\0"))
        for node in root.iterfind(".//node[@name='outInfo']/node"):
            values = {attr.get("key"): attr.text or "" for attr in node.iter("attr")}
            sides = int(values.get("sizeX", "0")), int(values.get("sizeY", "0"))
            size = sides if all(1 <= side <= 65536 for side in sides) else None
            streams[int(node.get("name", ""))] = Stream(values.get("typeIdentifier", ""), size)
    except (ElementTree.ParseError, ValueError):
        return None
    return MappingProxyType(streams)


def _cut(at: int, end: int, cut: bool, size: int, name: str) -> str:
    """What to say of a file that is cut off in the packet at `at`. Raises BadRecording where packets reach into the table."""
    if cut:
        return f"the packet at byte {at:,} goes beyond the end of the file ({size:,} bytes)"
    if at > end:
        raise _damaged("the packet before", at, f"reaches into the table at byte {end:,}", size, name)
    return ""


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _int(table: _Table, field: int, width: int, default: int) -> int:
    at = table.at.get(field)
    return default if at is None else int.from_bytes(table.data[at : at + width], "little", signed=True)


def _damaged(part: str, at: int, problem: str, size: int, name: str) -> BadRecording:
    return BadRecording(
        f"{part} at byte {at:,} {problem} ({size:,} bytes)", where=name, fix="fetch the file again"
    )
