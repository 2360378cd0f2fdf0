"""Events of a recording that its source decodes piece by piece: of any window, only the pieces that it touches."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock

import numpy as np

from eventbench.errors import BadRecording
from eventbench.recordings._held import Columns
from eventbench.sources.base import Scan, Source
from eventbench.specs.raw_files import file_state

KEPT_PIECES = 16  # decoded pieces that stay in memory, 54 MB: of windows that overlap, most are there
RANK_STEPS = 1 << 16  # of the table that finds an event of an unordered file by its number


class ScannedEvents:
    """The pieces of a scan, decoded as they are needed; the last few stay decoded.

    `state` is the file's as it was scanned. Threads may share it: one that needs a piece that another is decoding waits.
    """

    def __init__(self, source: Source, path: Path, scan: Scan, state: tuple[int, int]) -> None:
        self.source, self.path, self.scan, self.state = source, path, scan, state
        self.first_us = np.array([piece.first_us for piece in scan.pieces], np.int64)
        self.last_us = np.array([piece.last_us for piece in scan.pieces], np.int64)
        self.ends = np.cumsum([0, *(piece.events for piece in scan.pieces)], dtype=np.int64)
        self._decoded: dict[int, Columns] = {}
        self._locks, self._process = dict[int, Lock](), os.getpid()
        self._ranks: np.ndarray | None = None

    def window(self, start_us: int, stop_us: int) -> Columns:
        """The events with start_us <= t < stop_us, in order of time; of one time, in the order of the file."""
        touched = np.flatnonzero((self.last_us >= start_us) & (self.first_us < stop_us)).tolist()
        if self.scan.ordered:
            return _joined([self._ordered_part(number, start_us, stop_us) for number in touched])
        return _sorted(_joined([self._masked_part(number, start_us, stop_us) for number in touched]))

    def numbered(self, first: int, stop: int) -> Columns:
        """Events number `first` to before `stop`, in order of time."""
        if first >= stop:
            return _joined([])
        if not self.scan.ordered:
            return self._numbered_by_time(first, stop)
        begin = int(np.searchsorted(self.ends, first, side="right")) - 1
        end = int(np.searchsorted(self.ends, stop, side="left"))
        parts = []
        for number in range(begin, end):
            before = int(self.ends[number])
            parts.append(_rows(self._piece(number), max(first - before, 0), stop - before))
        return _joined(parts)

    def number_at(self, time_us: int) -> int:
        """How many events are earlier than a time."""
        earlier = int((self.last_us < time_us) @ np.diff(self.ends))
        crossed = np.flatnonzero((self.first_us < time_us) & (self.last_us >= time_us)).tolist()
        return earlier + sum(int((self._piece(number)[0] < time_us).sum()) for number in crossed)

    def _piece(self, number: int) -> Columns:
        columns = self._decoded.get(number)
        if columns is not None:
            return columns
        with self._lock_of(number):
            columns = self._decoded.get(number)  # another thread may have decoded it meanwhile
            if columns is None:
                columns = self._decoded[number] = self._decode(number)
        for oldest in list(self._decoded)[:-KEPT_PIECES]:
            self._decoded.pop(oldest, None)
        return columns

    def _decode(self, number: int) -> Columns:
        require_unchanged(self.path, self.state)
        return self.source.decode_piece(self.path, self.scan, self.scan.pieces[number])

    def _lock_of(self, number: int) -> Lock:
        """The lock of who decodes a piece; a forked process has new ones, since nobody in it would release the old."""
        if self._process != os.getpid():
            self._locks, self._process = {}, os.getpid()
        return self._locks.setdefault(number, Lock())

    def _ordered_part(self, number: int, start_us: int, stop_us: int) -> Columns:
        columns = self._piece(number)
        first, stop = np.searchsorted(columns[0], [start_us, stop_us], side="left").tolist()
        return _rows(columns, first, stop)

    def _masked_part(self, number: int, start_us: int, stop_us: int) -> Columns:
        t, x, y, p = self._piece(number)
        inside = (t >= start_us) & (t < stop_us)
        return t[inside], x[inside], y[inside], p[inside]

    def _numbered_by_time(self, first: int, stop: int) -> Columns:
        """As `numbered`, of an unordered file: the stretch of time that they lie in, less what is before and after."""
        begin, step = int(self.first_us.min()), self._step_us
        ranks = self._rank_table()
        low = int(np.searchsorted(ranks, first, side="right")) - 1
        high = int(np.searchsorted(ranks, stop, side="left"))
        columns = self.window(begin + low * step, begin + high * step)
        before = int(ranks[low])
        return _rows(columns, first - before, stop - before)

    @property
    def _step_us(self) -> int:
        return (int(self.last_us.max()) - int(self.first_us.min())) // RANK_STEPS + 1

    def _rank_table(self) -> np.ndarray:
        """int64 (steps + 1,): how many events lie before each step of time; made in one pass over the pieces."""
        if self._ranks is None:
            counts = np.zeros(RANK_STEPS, np.int64)
            begin, step = int(self.first_us.min()), self._step_us
            for number in range(len(self.scan.pieces)):
                steps = (self._piece(number)[0] - begin) // step
                counts += np.bincount(steps, minlength=RANK_STEPS)
            self._ranks = np.concatenate([[0], np.cumsum(counts)])
        return self._ranks


def require_unchanged(path: Path, state: tuple[int, int]) -> None:
    """Raises BadRecording where a file is not in the state that it was opened in, or cannot be looked at any more."""
    try:
        now = file_state(path)
    except OSError as error:
        raise BadRecording(f"the file was there when it was opened: {error.strerror}", where=path) from None
    if now != state:
        raise BadRecording("the file changed since it was opened", where=path, fix="open it again")


def _rows(columns: Columns, first: int, stop: int) -> Columns:
    t, x, y, p = columns
    rows = slice(first, stop)
    return t[rows], x[rows], y[rows], p[rows]


def _joined(parts: list[Columns]) -> Columns:
    """The parts end to end, as copies: a window does not keep the pieces alive that it was cut from."""
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.uint16), np.empty(0, np.uint16), np.empty(0, np.uint8)
    t, x, y, p = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return t, x, y, p


def _sorted(columns: Columns) -> Columns:
    t, x, y, p = columns
    order = np.argsort(t, kind="stable")
    return t[order], x[order], y[order], p[order]
