"""The events in packets of AEDAT 4, each a size and a flatbuffer with one vector of structs of 16 bytes: by kernels, and, to
say of a damaged file what is wrong with it, packet by packet in Python.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events.memory import columns, memory
from eventbench.sources._aedat import lz4, zstd
from eventbench.sources._aedat.aedat4_kernels import (
    EVENT_BYTES,
    LEAST,
    LZ4,
    LZ4_HIGH,
    MOST_TIMES,
    MOST_TIMES_LZ4,
    NONE,
    ZSTD,
    ZSTD_HIGH,
    content_sizes,
    decode,
)

EVENT = np.dtype(
    {
        "names": ["t", "x", "y", "on"],
        "formats": ["<i8", "<i2", "<i2", "u1"],
        "offsets": [0, 8, 10, 12],
        "itemsize": EVENT_BYTES,
    }
)
Unpack = Callable[[bytes, int], "np.ndarray | None"]


class PacketEvents(NamedTuple):
    """Events of packets, columns (events,): t int64, x and y uint16 (int16 where one is negative), p uint8.

    highest : the highest x and y; `in_order` whether no time steps back
    """

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray
    highest: tuple[int, int]
    in_order: bool


def events_of(raw: np.ndarray, packets: np.ndarray, compression: int, name: str) -> PacketEvents:
    """The events of packets (packets, 3) in uint8 bytes, in their order. Raises BadRecording where one does not hold events."""
    sizes = np.empty(len(packets), np.int64)
    most, total = content_sizes(raw, packets, compression, sizes)
    if most < 0:
        raise _what_is_wrong(raw.tobytes(), packets, compression, name)
    t, x, y, p = columns(total // EVENT_BYTES)
    packed = 0 if compression == NONE else 2 if compression in (LZ4, LZ4_HIGH) else 1
    with zstd.functions() if compression in (ZSTD, ZSTD_HIGH) else nullcontext(zstd.Functions(0, 0)) as found:
        if found is None:
            return _events_by_the_filter(raw, packets, compression, name)
        n, high_x, high_y, back, bad = decode(
            raw, packets, sizes, compression, *found, memory(packed * most), t, x, y, p
        )
    if bad >= 0:
        raise _what_is_wrong(raw.tobytes(), packets, compression, name)
    return _trimmed(t, x, y, p, int(n), (int(high_x), int(high_y)), int(back) == 0)


def _trimmed(
    t: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    p: np.ndarray,
    n: int,
    highest: tuple[int, int],
    in_order: bool,
) -> PacketEvents:
    t, x, y, p = t[:n], x[:n], y[:n], p[:n]
    if max(highest) > np.iinfo(np.int16).max:
        x, y = x.view(np.int16), y.view(np.int16)
    return PacketEvents(t, x, y, p, highest, in_order)


def _events_by_the_filter(raw: np.ndarray, packets: np.ndarray, compression: int, name: str) -> PacketEvents:
    """As `events_of`, where no function can be called that unpacks Zstandard: unpacked first, then as plain packets."""
    data = raw.tobytes()
    with zstd.unpacker() as unpack:
        words = [_events(compression, packet, data, name, unpack) for packet in packets]
    events = np.concatenate([np.empty(0, "<u8"), *words]).astype("<u8", copy=False).view(EVENT)
    t, x, y, p = columns(len(events))
    t[:], p[:] = events["t"], events["on"] != 0
    x[:], y[:] = events["x"].view("<u2"), events["y"].view("<u2")
    highest = (int(x.max(initial=0)), int(y.max(initial=0)))
    return _trimmed(t, x, y, p, len(t), highest, bool((t[1:] >= t[:-1]).all()))


def _what_is_wrong(data: bytes, packets: np.ndarray, compression: int, name: str) -> BadRecording:
    """What to say of packets that kernels refuse: of the first that is damaged."""
    with zstd.unpacker() if compression in (ZSTD, ZSTD_HIGH) else nullcontext() as unpack:
        for packet in packets:
            try:
                _events(compression, packet, data, name, unpack)
            except BadRecording as error:
                return error
    return BadRecording(
        "its packets unpack to far more than they can", where=name, fix="fetch the file again"
    )


def _events(
    compression: int, packet: np.ndarray, data: bytes, name: str, unpack: Unpack | None
) -> np.ndarray:
    """uint64 (2 * events,) of a packet: words, as they are joined several times faster than structs."""
    _, start, end = packet.tolist()
    frame = data[start + 8 : end]
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
            f"the packet at byte {start:,} {problem}", where=name, fix="fetch the file again"
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
