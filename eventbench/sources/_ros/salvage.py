"""Messages of a bag whose end, and with it the index, is missing: records are read from the beginning up to the cut.

ROS, "Bag format version 2.0"; MCAP specification. Of a chunk that is cut, the whole messages are read where it is not packed.
"""

from __future__ import annotations

import bz2
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from eventbench.sources._aedat.zstd import unpacker

_MAGIC_BYTES = {".bag": 13, ".mcap": 8}
CUT_SUFFIXES = tuple(_MAGIC_BYTES)  # SQLite has its pages anywhere
_ROS_MESSAGE, _ROS_CHUNK, _ROS_CONNECTION = 2, 5, 7
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK = 3, 4, 5, 6


class Connection(NamedTuple):
    """A topic of a bag, as rosbags has it."""

    id: int
    topic: str
    msgtype: str
    msgcount: int


class CutBag:
    """What is whole of a bag (`.bag` or `.mcap`), to be used as a reader of rosbags is.

    Raises what `struct`, `bz2` and lz4 raise, KeyError and IndexError, for records that are damaged and not only cut.
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self.topics: dict[int, tuple[str, str]] = {}
        self.found: list[tuple[int, int, bytes]] = []  # time in ns, connection, message
        self._types: dict[int, str] = {}
        read = self._read_ros1 if path.suffix == ".bag" else self._read_mcap
        read(data, _MAGIC_BYTES[path.suffix])
        self.found.sort(key=lambda message: message[0])
        counts = {id: sum(1 for _, other, _ in self.found if other == id) for id in self.topics}
        self.connections = [Connection(id, *self.topics[id], counts[id]) for id in self.topics]

    def __enter__(self) -> CutBag:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def messages(self, connections: list[Connection]) -> Iterator[tuple[Connection, int, bytes]]:
        """Connection, time in ns and bytes of each whole message, in order of time."""
        wanted = {connection.id: connection for connection in connections}
        return ((wanted[id], time, data) for time, id, data in self.found if id in wanted)

    def _read_ros1(self, data: bytes, at: int) -> None:
        for head, content, is_whole in _ros1_records(data, at):
            kind = head["op"][0]
            if kind == _ROS_CHUNK:
                packing = head["compression"].decode()
                if packing == "none" or is_whole:
                    self._read_ros1(_unpacked(content, packing, 0), 0)
            elif kind == _ROS_CONNECTION and is_whole:
                name = _ros1_fields(content)["type"].decode()
                id = int.from_bytes(head["conn"], "little")
                self.topics[id] = (head["topic"].decode(), name.replace("/", "/msg/"))
            elif kind == _ROS_MESSAGE and is_whole:
                seconds, ns = struct.unpack("<II", head["time"])
                self.found.append((seconds * 10**9 + ns, int.from_bytes(head["conn"], "little"), content))

    def _read_mcap(self, data: bytes, at: int) -> None:
        while at + 9 <= len(data):
            kind, size = data[at], int.from_bytes(data[at + 1 : at + 9], "little")
            content, at = data[at + 9 : at + 9 + size], at + 9 + size
            if kind == _CHUNK:
                self._read_chunk(content, is_whole=at <= len(data))
            elif at > len(data):
                return
            elif kind == _SCHEMA:
                self._types[int.from_bytes(content[:2], "little")] = _text(content, 2)[0]
            elif kind == _CHANNEL:
                id, schema = struct.unpack_from("<HH", content)
                self.topics[id] = (_text(content, 4)[0], self._types.get(schema, ""))
            elif kind == _MESSAGE:
                id, _, time = struct.unpack_from("<HIQ", content)
                self.found.append((time, id, content[22:]))

    def _read_chunk(self, content: bytes, *, is_whole: bool) -> None:
        if len(content) < 40:
            return
        (size,) = struct.unpack_from("<Q", content, 16)
        packing, at = _text(content, 28)
        if is_whole or not packing:
            self._read_mcap(_unpacked(content[at + 8 :], packing, size), 0)


def _ros1_records(data: bytes, at: int) -> Iterator[tuple[dict[str, bytes], bytes, bool]]:
    """The fields of each record's head, its content, and whether it is whole; none after a head that is cut."""
    while at + 4 <= len(data):
        start = at + 4 + int.from_bytes(data[at : at + 4], "little")
        if start + 4 > len(data):
            return
        end = start + 4 + int.from_bytes(data[start : start + 4], "little")
        yield _ros1_fields(data[at + 4 : start]), data[start + 4 : end], end <= len(data)
        at = end


def _ros1_fields(head: bytes) -> dict[str, bytes]:
    fields, at = {}, 0
    while at + 4 <= len(head):
        end = at + 4 + int.from_bytes(head[at : at + 4], "little")
        name, _, value = head[at + 4 : end].partition(b"=")
        fields[name.decode()] = value
        at = end
    return fields


def _text(content: bytes, at: int) -> tuple[str, int]:
    """A text, and where what follows it begins."""
    end = at + 4 + int.from_bytes(content[at : at + 4], "little")
    return content[at + 4 : end].decode(), end


def _unpacked(packed: bytes, packing: str, size: int) -> bytes:
    if packing in ("", "none"):
        return packed
    if packing == "bz2":
        return bz2.decompress(packed)
    if packing == "zstd":
        with unpacker() as unpack:
            unpacked = unpack(packed, size)
        return b"" if unpacked is None else unpacked.tobytes()
    if packing == "lz4":
        from lz4.frame import decompress

        return bytes(decompress(packed))
    raise KeyError(packing)
