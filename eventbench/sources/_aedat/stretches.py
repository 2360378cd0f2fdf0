"""Long files of AEDAT, a stretch at a time: read from the disk, and put together to pieces with what is told of all events."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventbench.events.memory import LEAST, memory
from eventbench.files.content import file_bytes, file_open, read_into
from eventbench.sources._decoded import Columns
from eventbench.sources._piecewise import MOST, Pieces, kept


class File(NamedTuple):
    """An open file: its descriptor, how many bytes it has, and what errors call it."""

    descriptor: int
    size: int
    name: str

    def read(self, start: int, stop: int) -> np.ndarray:
        """uint8 (stop - start,), not to be written to. Raises BadRecording where the file is shorter by now."""
        return self.read_parts([(start, stop)])

    def read_parts(self, parts: Sequence[tuple[int, int]]) -> np.ndarray:
        """uint8: the bytes of several stretches, end to end."""
        room, at = memory(sum(stop - start for start, stop in parts)), 0
        for start, stop in parts:
            read_into(self.descriptor, room[at : at + stop - start], start, self.name)
            at += stop - start
        room = room.view()
        room.flags.writeable = False  # as arrays of a file's bytes are: kernels are compiled once
        return room


@contextmanager
def opened(path: Path) -> Iterator[File]:
    """The file at a path, open for as long. Raises BadRecording where it cannot be read."""
    with file_open(path) as descriptor:
        yield File(descriptor, os.fstat(descriptor).st_size, str(path))


def whole_file(path: Path) -> np.ndarray:
    """uint8 (bytes,): a file's bytes, not to be written to. Raises BadRecording where it cannot be read or is empty."""
    try:
        small = path.stat().st_size < LEAST  # then memory that is used again takes longer than it saves
        if not small:
            with opened(path) as file:
                return file.read(0, file.size)
    except OSError:
        pass  # said in words below
    return np.frombuffer(file_bytes(path), np.uint8)


class Stretches(Pieces):
    """Takes the events of a file, a stretch after the other, and makes a piece of each that has any; as `Pieces` in all else."""

    def __init__(self, sensor: tuple[int, int] | None, outside: str, *, sort: bool) -> None:
        super().__init__(0, sensor, outside, sort=sort, state=())

    def take(
        self,
        columns: Columns,
        highest: tuple[int, int],
        in_order: bool,
        place: tuple[int, int],
        state: tuple[int, ...] = (),
    ) -> None:
        """The events that lie in the file from place[0] to place[1], and what is known of them by themselves."""
        t, x, _, _ = columns
        plain = x.dtype == np.uint16  # else an x or y is negative, and the file has no smallest sensor
        self.fine &= plain or self.sensor is not None
        follows = self.last is None or not len(t) or int(t[0]) >= self.last
        self.begin(int(place[0]), state)
        most = highest if plain else (MOST, MOST)
        self.add(columns, int(place[1]), (), most=most, in_order=in_order and follows)


def within(columns: Columns, sensor: tuple[int, int]) -> Columns:
    """The events that lie on a sensor, x and y as uint16; where all do, the columns as they are."""
    t, x, y, p = kept(columns, sensor, "drop")
    return t, x.view(np.uint16), y.view(np.uint16), p
