"""Events of a recording that was decoded whole: its columns in memory, or mapped from a file."""

from __future__ import annotations

import numpy as np

Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class HeldEvents:
    """The columns t, x, y, p (events,) in order of time; `mapped` says that they lie in a file and are copied out of it."""

    def __init__(self, columns: Columns, *, mapped: bool) -> None:
        self.columns, self.mapped = columns, mapped

    def window(self, start_us: int, stop_us: int) -> Columns:
        """The events with start_us <= t < stop_us."""
        first, stop = np.searchsorted(self.columns[0], [start_us, stop_us], side="left").tolist()
        return self.numbered(first, stop)

    def numbered(self, first: int, stop: int) -> Columns:
        """Events number `first` to before `stop`."""
        t, x, y, p = self.columns
        rows = slice(first, stop)
        if not self.mapped:
            return t[rows], x[rows], y[rows], p[rows]
        return t[rows].copy(), x[rows].copy(), y[rows].copy(), p[rows].copy()

    def number_at(self, time_us: int) -> int:
        """How many events are earlier than a time."""
        return int(np.searchsorted(self.columns[0], time_us, side="left"))
