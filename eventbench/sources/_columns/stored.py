"""Columns of events as they lie in a file, read a block of rows at a time: values at even distances, in any type.

A block stays in the cache of the processor from when it is read until it is checked, which is what makes it fast.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events.memory import memory
from eventbench.files.content import file_open, file_size, read_into
from eventbench.sources.base import Size

BLOCK_ROWS = 1 << 16
Block = tuple[int, int, Mapping[str, np.ndarray]]  # first row, end, and the columns of these rows


class Place(NamedTuple):
    """Where a column lies: the byte of its first value, and bytes from one value to the next."""

    dtype: np.dtype[np.generic]
    start: int
    step: int

    def end(self, rows: int) -> int:
        """The byte after the last of so many values."""
        return self.start + (rows - 1) * self.step + self.dtype.itemsize if rows else self.start

    def moved(self, by: int) -> Place:
        """So many bytes further on."""
        return self._replace(start=self.start + by)

    def within(self, data: np.ndarray, first: int, end: int) -> np.ndarray:
        """(end - first,): a view of these values in uint8 data."""
        return np.ndarray((end - first,), self.dtype, data, self.start + first * self.step, (self.step,))


class StoredColumns:
    """The columns t, x, y, p of one stream, and what the file says of them.

    rows : events in it
    unit : of the times, "" where the file does not say
    offset_us : what is added to every time
    size : the sensor's (width, height), None where the file does not say
    either_way : whether `size` may be height and width
    """

    rows: int = 0
    unit: str = ""
    offset_us: int = 0
    size: Size | None = None
    either_way: bool = False

    def types(self) -> dict[str, np.dtype[np.generic]]:
        """As the columns are stored."""
        raise NotImplementedError

    def blocks(self, start: int, stop: int, into: Mapping[str, np.ndarray]) -> Iterator[Block]:
        """The rows from `start` to `stop`, in order; each block is valid until the next is asked for.

        `into` are columns (stop - start,): what is stored in their type is read to where it belongs.
        """
        raise NotImplementedError


class Checksum(NamedTuple):
    """The CRC-32 of all bytes of a member of an archive: what it begins with, and what it must come to."""

    member: str
    before: int
    expected: int


class InBytes(StoredColumns):
    """Columns at places of a file, open or in memory. Whoever makes it has proven that they lie within it.

    `checksums` are of columns whose values are all that is left of a member of an archive; they are looked at where all
    rows are read.
    """

    def __init__(
        self,
        sources: Mapping[str, int | bytes],
        places: Mapping[str, Place],
        rows: int,
        name: str,
        checksums: Mapping[str, Checksum] | None = None,
    ) -> None:
        self.sources, self.places, self.rows, self.name = sources, places, rows, name
        self.checksums = checksums or {}
        self.staging: dict[str, np.ndarray] = {}

    def types(self) -> dict[str, np.dtype[np.generic]]:
        """As the columns are stored."""
        return {key: place.dtype for key, place in self.places.items()}

    def blocks(self, start: int, stop: int, into: Mapping[str, np.ndarray]) -> Iterator[Block]:
        """As every class of stored columns. Raises BadRecording for bytes that are not those of their checksum."""
        groups = self._records()
        sums = {key: checksum.before for key, checksum in self.checksums.items()}
        for first in range(start, stop, BLOCK_ROWS):
            end = min(first + BLOCK_ROWS, stop)
            block: dict[str, np.ndarray] = {}
            for keys in groups:
                place = self.places[keys[0]]
                room = into[keys[0]][first - start : end - start] if keys[0] in into else None
                if room is not None and len(keys) == 1 and room.dtype == place.dtype == _packed(place):
                    part = room.view(np.uint8)
                    self._fill(part, keys[0], place.start + first * place.step)
                    block[keys[0]] = room
                else:
                    part = self._staged(keys, first, end)
                    at = place.start
                    block |= {key: self.places[key].moved(-at).within(part, 0, end - first) for key in keys}
                if keys[0] in sums:
                    sums[keys[0]] = zlib.crc32(memoryview(part), sums[keys[0]])  # type: ignore[arg-type]
            yield first, end, block
        if stop - start == self.rows:
            for key, checksum in self.checksums.items():
                if sums[key] != checksum.expected:
                    raise BadRecording(
                        f"not a readable NumPy file: Bad CRC-32 for file {checksum.member!r}", where=self.name
                    )

    def _records(self) -> list[list[str]]:
        """The columns that lie in one record each, which are read together."""
        groups: list[list[str]] = []
        for key, place in sorted(self.places.items(), key=lambda item: item[1].start):
            for group in groups:
                begin = self.places[group[0]]
                alike = self.sources[key] is self.sources[group[0]] and place.step == begin.step
                if alike and place.start < begin.start + place.step:
                    group.append(key)
                    break
            else:
                groups.append([key])
        return groups

    def _staged(self, keys: list[str], first: int, end: int) -> np.ndarray:
        """The bytes of the rows' records, from the first of their columns on."""
        place, source = self.places[keys[0]], self.sources[keys[0]]
        start = place.start + first * place.step
        size = max(self.places[key].end(end) for key in keys) - start
        if isinstance(source, bytes):
            return np.frombuffer(source, np.uint8, size, start)
        if keys[0] not in self.staging:
            self.staging[keys[0]] = np.empty(place.step * (min(BLOCK_ROWS, self.rows) + 1), np.uint8)
        part = self.staging[keys[0]][:size]
        self._fill(part, keys[0], start)
        return part

    def _fill(self, room: np.ndarray, key: str, start: int) -> None:
        source = self.sources[key]
        if isinstance(source, bytes):
            room[:] = np.frombuffer(source, np.uint8, len(room), start)
        else:
            read_into(source, room, start, self.name)


def _packed(place: Place) -> np.dtype[np.generic] | None:
    """The type, where values follow one another."""
    return place.dtype if place.step == place.dtype.itemsize else None


def file_array(path: Path | str, after: bytes = b"") -> np.ndarray:
    """uint8 (bytes,): those of a recording's file, and `after` them. Raises BadRecording as `file_bytes` does."""
    size = file_size(path)
    room = memory(size + len(after))
    with file_open(path) as file:
        read_into(file, room[:size], 0, str(path))
    room[size:] = np.frombuffer(after, np.uint8)
    return room
