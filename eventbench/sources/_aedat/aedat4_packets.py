"""Packets of AEDAT 4 unpacked, and the events in them: a size, then a flatbuffer with one vector of structs of 16 bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np

from eventbench.errors import BadRecording
from eventbench.sources._aedat import lz4, zstd
from eventbench.sources._aedat.aedat4_file import NONE, ZSTD, ZSTD_HIGH, Aedat4File, Packet

LEAST = 12  # bytes of a size, an offset and the identifier
MOST_TIMES = 1100  # what a packet may unpack to, times the file's size; real events stay far below
MOST_TIMES_LZ4 = 256
EVENT = np.dtype(
    {
        "names": ["t", "x", "y", "on"],
        "formats": ["<i8", "<i2", "<i2", "u1"],
        "offsets": [0, 8, 10, 12],
        "itemsize": 16,
    }
)


Unpack = Callable[[bytes, int], "np.ndarray | None"]


def events_of(file: Aedat4File, stream: int, data: bytes, name: str) -> np.ndarray:
    """EVENT (events,) of the packets of a stream, in the file's order. Raises BadRecording where one does not hold events."""
    packets = [packet for packet in file.packets if packet.stream == stream]
    with zstd.unpacker() if file.compression in (ZSTD, ZSTD_HIGH) else nullcontext() as unpack:
        words = [_events(file.compression, packet, data, name, unpack) for packet in packets]
    return np.concatenate(words).view(EVENT) if words else np.empty(0, EVENT)


def _events(compression: int, packet: Packet, data: bytes, name: str, unpack: Unpack | None) -> np.ndarray:
    """uint64 (2 * events,) of a packet: words, as they are joined several times faster than structs."""
    frame = data[packet.start + 8 : packet.end]
    try:
        content = _zstd_content(frame, data, unpack) if unpack else _content(compression, frame)
        if content is None:
            raise ValueError("does not unpack")
        if len(content) < LEAST:
            raise ValueError("unpacks to too few bytes")
        return _vector(content)
    except (struct.error, ValueError) as error:
        problem = f"cannot be decoded: {error}" if isinstance(error, struct.error) else error
        raise BadRecording(
            f"the packet at byte {packet.start:,} {problem}", where=name, fix="fetch the file again"
        ) from None


def _content(compression: int, frame: bytes) -> np.ndarray | None:
    """The bytes in a packet that is plain, or packed by LZ4."""
    if compression == NONE:
        return np.frombuffer(frame, np.uint8)
    packed = np.frombuffer(frame, np.uint8)
    size = 4 + int.from_bytes(lz4.first_bytes(packed), "little")  # a packet begins with its size
    return lz4.unpacked(packed, size) if size <= MOST_TIMES_LZ4 * len(frame) else None


def _zstd_content(frame: bytes, data: bytes, unpack: Unpack) -> np.ndarray | None:
    size, most = zstd.stated_size(frame), zstd.most_bytes(frame)
    if size is None:
        raise ValueError("is a Zstandard frame that does not state its size, or none")
    if min(size, most) > MOST_TIMES * len(data):
        raise ValueError("says it unpacks to far more than it can")
    return unpack(frame, size) if 0 < size <= most else None


def _vector(content: np.ndarray) -> np.ndarray:
    buffer = content.data[4:]
    root, identifier = struct.unpack_from("<I4s", buffer, 0)
    if identifier != b"EVTS":
        raise ValueError("cannot be decoded: bad packet prefix")
    (back,) = struct.unpack_from("<i", buffer, root)
    if root < back:
        raise ValueError("cannot be decoded: its table lies outside")
    entries, size = struct.unpack_from("<HH", buffer, root - back)
    field = struct.unpack_from("<H", buffer, root - back + 4)[0] if entries >= 6 else 0
    if not field:
        return np.empty(0, "<u8")
    if field > size:
        raise ValueError("cannot be decoded: its table lies outside")
    at = root + field
    at += struct.unpack_from("<I", buffer, at)[0]
    (events,) = struct.unpack_from("<I", buffer, at)
    if at + 4 + EVENT.itemsize * events > len(buffer):
        raise ValueError(f"says it has {events:,} events, which do not fit into it")
    return np.frombuffer(buffer, "<u8", 2 * events, at + 4)
