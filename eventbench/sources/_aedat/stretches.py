"""Long files of AEDAT, a stretch at a time: read from the disk, and put together to pieces with what is told of all events."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.files.content import OPEN, file_bytes
from eventbench.sources._aedat.sound import fits
from eventbench.sources._decoded import LOSSES, Columns, Note, counted
from eventbench.sources._memory import LEAST, memory
from eventbench.sources._pieces import Piece, Scan


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
            while start < stop:
                got = _read_into(self.descriptor, room[at : at + stop - start], start)
                if not got:
                    what = "the file changed while it was read"
                    raise BadRecording(what, where=self.name, fix="run the command again")
                start, at = start + got, at + got
        room = room.view()
        room.flags.writeable = False  # as arrays of a file's bytes are: kernels are compiled once
        return room


def _read_into(descriptor: int, room: np.ndarray, start: int) -> int:
    """Read what there is room for from a place in a file on; how many bytes were read."""
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [memoryview(room)], start)  # type: ignore[arg-type]
    os.lseek(descriptor, start, os.SEEK_SET)  # Windows
    block = os.read(descriptor, len(room))
    room[: len(block)] = np.frombuffer(block, np.uint8)
    return len(block)


@contextmanager
def opened(path: Path) -> Iterator[File]:
    """The file at a path, open for as long. Raises BadRecording where it cannot be read."""
    try:
        descriptor = os.open(path, OPEN)
    except OSError as error:
        raise BadRecording(f"cannot be read: {error.strerror}", where=path) from None
    try:
        yield File(descriptor, os.fstat(descriptor).st_size, str(path))
    finally:
        os.close(descriptor)


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


class Stretches:
    """Takes the events of a file, a stretch after the other, and makes a piece of each that has any.

    Parameters
    ----------
    sensor : (width, height) that the events must lie in; None where it is the smallest that holds them
    outside : "drop" leaves events off the sensor out; else `fine` is False where there is one
    sort : whether times may step back; else `fine` is False where they do
    """

    def __init__(self, sensor: tuple[int, int] | None, outside: str, *, sort: bool) -> None:
        self.sensor, self.drop, self.sort = sensor, outside == "drop", sort
        self.pieces: list[Piece] = []
        self.fine = True
        self.events = self.dropped = self._back = self._furthest = 0
        self._highest = (0, 0)
        self._last: int | None = None

    def add(
        self,
        columns: Columns,
        highest: tuple[int, int],
        in_order: bool,
        place: tuple[int, int],
        state: tuple[int, ...] = (),
    ) -> None:
        """The events that lie in the file from place[0] to place[1], and what is known of them."""
        before = len(columns[0])
        if self.sensor is None:
            self._highest = (max(self._highest[0], highest[0]), max(self._highest[1], highest[1]))
            self.fine &= columns[1].dtype == np.uint16  # a negative x or y has no smallest sensor
        elif columns[1].dtype != np.uint16 or not fits(highest, self.sensor):
            columns = within(columns, self.sensor)
            self.dropped += before - len(columns[0])
            self.fine &= self.drop or len(columns[0]) == before
        t = columns[0]
        if not len(t):
            return
        first, last = int(t[0]), int(t[-1])
        if not in_order or (self._last is not None and first < self._last):
            steps = np.diff(t, prepend=first if self._last is None else self._last)
            self._back += int((steps < 0).sum())
            self._furthest = max(self._furthest, -int(steps.min()))
            first, last = int(t.min()), int(t.max())
        self._last = int(t[-1])
        self.events += len(t)
        self.pieces.append(Piece(int(place[0]), int(place[1]), len(t), first, last, state))

    def scan(self, notes: Sequence[Note]) -> Scan | None:
        """What was found, these notes first; None where the file would be refused, which reading it whole does in words."""
        if not self.fine or (self._back and not self.sort) or (self.sensor is None and not self.events):
            return None
        met = list(notes)
        if self.dropped:
            what = f"{counted(self.dropped, 'event')} off the sensor: dropped"
            met.append(Note("outside_sensor", what, self.dropped))
        if self._back:
            what = f"time steps back at {self._back:,} of {self.events:,} events, by {self._furthest:,} us at most"
            met.append(Note("steps_back", f"{what}: sorted", self._back))
        lost = {note.kind: note.times for note in met if note.kind in LOSSES}
        width, height = self._highest
        sensor = self.sensor or (width + 1, height + 1)
        return Scan(sensor, self.pieces, not self._back, lost, tuple(met))


def within(columns: Columns, sensor: tuple[int, int]) -> Columns:
    """The events that lie on a sensor, x and y as uint16; where all do, the columns as they are."""
    t, x, y, p = columns
    inside = (x >= 0) & (x < sensor[0]) & (y >= 0) & (y < sensor[1])
    if not inside.all():
        t, x, y, p = t[inside], x[inside], y[inside], p[inside]
    return t, x.view(np.uint16), y.view(np.uint16), p
