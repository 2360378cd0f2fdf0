"""Pieces of a file made from its decoded parts, with what `decoded` does to all events at once done to each part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eventbench.sources._decoded import LOSSES, Columns, Note, dropped_note, outside_of, steps_back_note
from eventbench.sources._pieces import PIECE_EVENTS, Piece, Scan

MOST = 65536  # no x or y is over it


class Pieces:
    """Takes the parts of a file in their order and puts them together to pieces of about PIECE_EVENTS.

    Parameters
    ----------
    start : where the first part begins, as in `Piece`
    sensor : (width, height) that the events must lie in; None where it is found from them
    outside : "drop" leaves events off the sensor out; with "refuse", `fine` is False where there are some
    sort : whether times may step back; without, `fine` is False where they do
    """

    def __init__(
        self, start: int, sensor: tuple[int, int] | None, outside: str, *, sort: bool, state: tuple[int, ...]
    ) -> None:
        self.sensor, self.drop, self.sort = sensor, outside == "drop", sort
        self.pieces: list[Piece] = []
        self.events = self.dropped = self.back = self.furthest = 0
        self.most_x = self.most_y = 0
        self.fine = True
        self.last: int | None = None
        self._open: Piece | None = None
        self._start, self._state = start, state

    def begin(self, start: int, state: tuple[int, ...]) -> None:
        """A piece of its own begins here, with this state of the decoder."""
        self._close()
        self._start, self._state = start, state

    def add(
        self,
        columns: Columns,
        stop: int,
        state: tuple[int, ...],
        *,
        most: tuple[int, int] = (MOST, MOST),
        in_order: bool = False,
    ) -> None:
        """The events up to `stop`, and the state of the decoder there.

        What is known of them already: no x and y is over `most`; `in_order`: none is earlier than the one before it.
        """
        t, x, y, _ = columns
        if self._may_be_outside(most) and (out := outside_of(x, y, self.sensor or (0, 0))) is not None:
            self.fine &= self.drop
            self.dropped += int(out.sum())
            t, x, y = t[~out], x[~out], y[~out]
        if len(t):
            if in_order and not self.dropped:
                first, last = int(t[0]), int(t[-1])
            else:
                self._count_steps(t)
                first, last = int(t.min()), int(t.max())
            self.last = int(t[-1])
            self._look_for_most(x, y, most)
            self._put(len(t), first, last, stop)
        self._start, self._state = stop, state

    def _may_be_outside(self, most: tuple[int, int]) -> bool:
        return self.sensor is not None and not (most[0] < self.sensor[0] and most[1] < self.sensor[1])

    def _look_for_most(self, x: np.ndarray, y: np.ndarray, most: tuple[int, int]) -> None:
        if self.sensor is None:
            x_most, y_most = most if most != (MOST, MOST) else (int(x.max()), int(y.max()))
            self.most_x, self.most_y = max(self.most_x, x_most), max(self.most_y, y_most)

    def _put(self, events: int, first: int, last: int, stop: int) -> None:
        now = self._open
        if now is not None and now.events + events > PIECE_EVENTS:
            self._close()
        if self._open is None:
            now = Piece(self._start, stop, 0, first, last, self._state)
        assert now is not None
        first, last = min(now.first_us, first), max(now.last_us, last)
        self._open = Piece(now.start, stop, now.events + events, first, last, now.state)
        self.events += events

    def _count_steps(self, t: np.ndarray) -> None:
        steps = np.diff(t, prepend=t[0] if self.last is None else self.last)
        least = int(steps.min())
        if least < 0:
            self.fine &= self.sort
            self.back += int((steps < 0).sum())
            self.furthest = max(self.furthest, -least)

    def _close(self) -> None:
        if self._open is not None:
            self.pieces.append(self._open)
        self._open = None

    def scan(self, notes: Sequence[Note], arrays: Mapping[str, np.ndarray] = {}) -> Scan | None:
        """What was found, with these notes before those of events dropped and sorted; None where it would be refused."""
        self._close()
        if not self.fine or (self.sensor is None and not self.events):
            return None
        met = list(notes)
        met += [dropped_note(self.dropped)] if self.dropped else []
        met += [steps_back_note(self.back, self.events, self.furthest)] if self.back else []
        lost = {note.kind: note.times for note in met if note.kind in LOSSES}
        sensor = self.sensor or (self.most_x + 1, self.most_y + 1)
        return Scan(sensor, self.pieces, not self.back, lost, tuple(met), arrays)


def kept(columns: Columns, sensor: tuple[int, int], outside: str) -> Columns:
    """The columns of a piece without events off the sensor, where those are dropped."""
    t, x, y, p = columns
    if outside == "drop" and (out := outside_of(x, y, sensor)) is not None:
        return t[~out], x[~out], y[~out], p[~out]
    return columns
