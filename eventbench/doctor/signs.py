"""Signs: the raw columns of a file in numbers: order, ranges, values of polarity, overflow markers, wraps of the clock."""

from __future__ import annotations

import msgspec
import numpy as np

from eventbench.sources.base import PER_US, RawColumns

SHOWN = 8
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
    x: tuple[float, float] | None
    y: tuple[float, float] | None
    t_us: tuple[float, float] | None
    steps_back: int
    first_back: int | None
    furthest_back_us: float
    overflow_markers: int
    wraps: int
    clock_us: int
    other_words: int
    stated_size: tuple[int, int] | None
    outside: int


def signs_of(raw: RawColumns, sensor: tuple[int, int] | None) -> Signs:
    """The figures; `sensor` (width, height) is what events must lie in, None takes what the file states, if it does."""
    times, over = PER_US[raw.unit]
    steps = np.diff(raw.t if raw.t.dtype.kind == "i" else raw.t.astype(np.float64))
    back = np.flatnonzero((steps < 0) & np.isfinite(steps))
    values = np.unique(raw.p[np.isfinite(raw.p)])[:SHOWN].tolist()
    size = sensor or raw.size
    outside = 0
    if size is not None and len(raw.t):
        outside = int(np.count_nonzero((raw.x < 0) | (raw.x >= size[0]) | (raw.y < 0) | (raw.y >= size[1])))
    spans = [_range(column) for column in (raw.x, raw.y, raw.t)]
    return Signs(
        rows=len(raw.t),
        unit=raw.unit,
        polarities=[int(value) if float(value).is_integer() else float(value) for value in values],
        polarity_type=str(raw.p.dtype),
        x=spans[0],
        y=spans[1],
        t_us=spans[2] and (spans[2][0] * times / over, spans[2][1] * times / over),
        steps_back=len(back),
        first_back=int(back[0]) + 1 if len(back) else None,
        furthest_back_us=-float(steps[back].min()) * times / over if len(back) else 0.0,
        overflow_markers=raw.overflow_markers,
        wraps=raw.wraps,
        clock_us=raw.clock_us,
        other_words=raw.other_words,
        stated_size=raw.size,
        outside=outside,
    )


def _range(column: np.ndarray) -> tuple[float, float] | None:
    """(least, most) of the values that are numbers."""
    column = column[np.isfinite(column)]
    return (column.min().item(), column.max().item()) if len(column) else None


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
