"""Signs: the raw columns of a file in numbers: order, ranges, values of polarity, overflow markers, wraps of the clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgspec
import numpy as np

from eventbench.sources.base import PER_US, RawColumns, Size

SHOWN = 8
Range = tuple[float, float]  # (least, most)
CONVENTIONS = (({0, 1}, "0 and 1", ""), ({-1, 1}, "-1 and +1", ""), ({1, 2}, "1 and 2", ", counted from 1"))


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """A file's columns before anything was done to them. Ranges are (least, most); None where there is no event.

    `steps_back` counts events earlier than the one before them, `first_back` is the first such, `furthest_back_us` the
    largest step.
    """

    rows: int
    unit: str
    polarities: list[int | float]
    polarity_type: str
    x: Range | None
    y: Range | None
    t_us: Range | None
    steps_back: int
    first_back: int | None
    furthest_back_us: float
    overflow_markers: int
    wraps: int
    clock_us: int
    other_words: int
    stated_size: tuple[int, int] | None
    outside: int


class SignsMeter:
    """Signs of a file whose raw columns come in pieces, in the order of the file; cut anywhere, they come to the same."""

    def __init__(self, sensor: tuple[int, int] | None) -> None:
        """`sensor` (width, height) is what events must lie in; None takes what the file states, if it does."""
        self._sensor = sensor
        self.first: RawColumns | None = None
        self._rows = self._outside = self._steps_back = self._markers = self._wraps = self._other_words = 0
        self._first_back: int | None = None
        self._least_step = 0.0
        self._ranges: list[Range | None] = [None, None, None]
        self._last = self._polarities = np.empty(0)

    def update(self, raw: RawColumns) -> None:
        """Take in the rows that come next."""
        if self.first is None:
            self.first = raw
            self._last, self._polarities = raw.t[:0], raw.p[:0]
        self._follow_time(raw.t)
        size = self._sensor or self.first.size
        if size is not None and len(raw.t):
            outside = (raw.x < 0) | (raw.x >= size[0]) | (raw.y < 0) | (raw.y >= size[1])
            self._outside += int(np.count_nonzero(outside))
        columns = (raw.x, raw.y, raw.t)
        self._ranges = [_range(column, span) for column, span in zip(columns, self._ranges, strict=True)]
        values = np.concatenate([self._polarities, np.unique(raw.p[np.isfinite(raw.p)])])
        self._polarities = np.unique(values)[:SHOWN]
        self._rows += len(raw.t)
        self._markers += raw.overflow_markers
        self._wraps += raw.wraps
        self._other_words += raw.other_words

    def _follow_time(self, t: np.ndarray) -> None:
        together = np.concatenate([self._last, t])
        with np.errstate(invalid="ignore"):  # from one infinity to the next
            steps = np.diff(together if t.dtype.kind == "i" else together.astype(np.float64))
        back = np.flatnonzero((steps < 0) & np.isfinite(steps))
        if len(back):
            if self._first_back is None:
                self._first_back = self._rows - len(self._last) + int(back[0]) + 1
            self._steps_back += len(back)
            self._least_step = min(self._least_step, float(steps[back].min()))
        self._last = together[-1:]

    def signs(self) -> Signs | None:
        """The figures of all rows so far; None where no piece came."""
        raw = self.first
        if raw is None:
            return None
        times, over = PER_US[raw.unit]
        x, y, t = self._ranges
        values = self._polarities.tolist()
        return Signs(
            rows=self._rows,
            unit=raw.unit,
            polarities=[int(value) if float(value).is_integer() else float(value) for value in values],
            polarity_type=str(raw.p.dtype),
            x=x,
            y=y,
            t_us=t and (t[0] * times / over, t[1] * times / over),
            steps_back=self._steps_back,
            first_back=self._first_back,
            furthest_back_us=-self._least_step * times / over if self._steps_back else 0.0,
            overflow_markers=self._markers,
            wraps=self._wraps,
            clock_us=raw.clock_us,
            other_words=self._other_words,
            stated_size=None if raw.size is None else cast("Size", tuple(raw.size)),  # a list, as JSON has it
            outside=self._outside,
        )


def signs_of(pieces: Iterable[RawColumns], sensor: tuple[int, int] | None) -> Signs | None:
    """The signs of a file's raw columns, all at once or in pieces."""
    meter = SignsMeter(sensor)
    for raw in pieces:
        meter.update(raw)
    return meter.signs()


def _range(column: np.ndarray, before: Range | None) -> Range | None:
    """(least, most) of the values that are numbers, and of those before."""
    column = column if column.dtype.kind in "iub" else column[np.isfinite(column)]
    if not len(column):
        return before
    least, most = column.min().item(), column.max().item()
    return (min(least, before[0]), max(most, before[1])) if before else (least, most)


def convention_of(signs: Signs | None) -> str:
    """How a file writes polarity, as far as its values tell."""
    if signs is None:
        return "not known"
    if signs.polarity_type == "bool":
        return "bool, true is ON"
    values = set(signs.polarities)
    for known, words, origin in CONVENTIONS:
        if values == known:
            return f"{words}{origin} ({signs.polarity_type})"
    listed = ", ".join(str(value) for value in signs.polarities)
    listed += ", ..." if len(signs.polarities) == SHOWN else ""
    possible = " or ".join(words for known, words, _ in CONVENTIONS if values < known)
    if possible and values:
        return f"only {listed} ({signs.polarity_type}), of {possible}"
    return f"{listed or 'nothing'} ({signs.polarity_type}), which is none known"
