"""Columns of events as they lie in a file, read a block of rows at a time: values at even distances, in any type.

A block stays in the cache of the processor from when it is read until it is checked, which is what makes it fast.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.files.content import OPEN
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


class InBytes(StoredColumns):
    """Columns at places of a file, open or in memory. Whoever makes it has proven that they lie within it."""

    def __init__(self, source: int | bytes, places: Mapping[str, Place], rows: int, name: str) -> None:
        self.source, self.places, self.rows, self.name = source, places, rows, name
        self.staging: dict[str, np.ndarray] = {}

    def types(self) -> dict[str, np.dtype[np.generic]]:
        """As the columns are stored."""
        return {key: place.dtype for key, place in self.places.items()}

    def blocks(self, start: int, stop: int, into: Mapping[str, np.ndarray]) -> Iterator[Block]:
        """As every class of stored columns."""
        groups = self._records()
        for first in range(start, stop, BLOCK_ROWS):
            end = min(first + BLOCK_ROWS, stop)
            block: dict[str, np.ndarray] = {}
            for keys in groups:
                place = self.places[keys[0]]
                room = into[keys[0]][first - start : end - start] if keys[0] in into else None
                if room is not None and len(keys) == 1 and room.dtype == place.dtype == _packed(place):
                    self._fill(room.view(np.uint8), place.start + first * place.step)
                    block[keys[0]] = room
                else:
                    block |= self._staged(keys, first, end - first)
            yield first, end, block

    def _records(self) -> list[list[str]]:
        """The columns that lie in one record each, which are read together."""
        groups: list[list[str]] = []
        for key, place in sorted(self.places.items(), key=lambda item: item[1].start):
            near = groups and place.start < self.places[groups[-1][0]].start + place.step
            if near and place.step == self.places[groups[-1][0]].step:
                groups[-1].append(key)
            else:
                groups.append([key])
        return groups

    def _staged(self, keys: list[str], first: int, rows: int) -> dict[str, np.ndarray]:
        """Views of the columns in a copy of their records."""
        step = self.places[keys[0]].step
        start = self.places[keys[0]].start + first * step
        size = max(self.places[key].end(first + rows) for key in keys) - start
        if isinstance(self.source, bytes):
            part = np.frombuffer(self.source, np.uint8, size, start)
        else:
            part = self._room(keys[0])[:size]
            self._fill(part, start)
        views = {}
        for key in keys:
            place = self.places[key]
            within = place.start - self.places[keys[0]].start
            views[key] = np.ndarray((rows,), place.dtype, part, within, (step,))
        return views

    def _room(self, key: str) -> np.ndarray:
        """Bytes for the records of a block, of which this column is the first."""
        if key not in self.staging:
            self.staging[key] = np.empty(self.places[key].step * (min(BLOCK_ROWS, self.rows) + 1), np.uint8)
        return self.staging[key]

    def _fill(self, room: np.ndarray, start: int) -> None:
        view = memoryview(room)  # type: ignore[arg-type]
        if isinstance(self.source, bytes):
            view[:] = memoryview(self.source)[start : start + len(view)]
            return
        while view:
            got = os.preadv(self.source, [view], start)
            if not got:
                raise BadRecording(
                    "the file changed while it was read", where=self.name, fix="run the command again"
                )
            start, view = start + got, view[got:]


def _packed(place: Place) -> np.dtype[np.generic] | None:
    """The type, where values follow one another."""
    return place.dtype if place.step == place.dtype.itemsize else None


@contextmanager
def file_open(path: Path | str) -> Iterator[int]:
    """A descriptor of a recording's file. Raises BadRecording where it cannot be opened."""
    try:
        file = os.open(path, OPEN)
    except OSError as error:
        raise BadRecording(f"cannot be read: {error.strerror}", where=path) from None
    try:
        yield file
    finally:
        os.close(file)
