"""Where things lie in the plots of the page: numbers in, coordinates out; the template draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from eventbench.leaderboard import figures
from eventbench.leaderboard.rows import Board, Row

WIDTH = 520.0


@dataclass
class Tick:
    at: float
    text: str


@dataclass
class Mark:
    """One row in a plot: `x`, `y` of its mean, `low` and `high` of its interval, `dots` a place for each run."""

    row: Row
    x: float
    y: float
    low: float
    high: float
    said: str
    dots: list[tuple[float, str]] = field(default_factory=list)
    label: str = ""
    label_x: float = 0.0
    label_y: float = 0.0
    anchor: str = "start"


@dataclass
class Plot:
    """A drawing of `width` by `height` with its axes: `left`, `right`, `top`, `bottom` are the frame's edges.

    `left_out` names the rows that have no place on the axes.
    """

    height: float
    left: float
    right: float
    top: float
    bottom: float
    x_title: str
    x_ticks: list[Tick]
    marks: list[Mark]
    y_ticks: list[Tick] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    width: float = WIDTH


def forest(board: Board) -> Plot | None:
    """Accuracy, a line a row: its mean, its 95 % interval, a small dot for each run."""
    rows = [row for row in [*board.rows, *board.unranked] if "accuracy" in row.metrics]
    if not rows:
        return None
    each = [[run.scores["accuracy"].value for run in row.runs if "accuracy" in run.scores] for row in rows]
    ends = [value for row in rows for value in _ends(row)] + [value for values in each for value in values]
    low, high, ticks = linear_axis(min(ends), min(1.0, max(ends)))
    left, right, top, step = 14.0, WIDTH - 22, 8.0, 48.0

    def place(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    marks = []
    for number, (row, values) in enumerate(zip(rows, each, strict=True)):
        ends_of = _ends(row)
        marks.append(
            Mark(
                row,
                x=place(row.metrics["accuracy"].mean),
                y=top + step * number + 36,
                low=place(ends_of[0]),
                high=place(ends_of[1]),
                said=_said(row),
                dots=[
                    (place(value), f"seed {run.seed}: {figures.percent(value)} %")
                    for run, value in zip(row.runs, values, strict=False)
                ],
                label=figures.plain(row.label),
                label_x=left,
                label_y=top + step * number + 18,
            )
        )
    bottom = top + step * len(rows) + 4
    return Plot(
        bottom + 44,
        left,
        right,
        top,
        bottom,
        "accuracy (%)",
        [Tick(place(value), f"{100 * value:g}") for value in ticks],
        marks,
    )


def scatters(board: Board) -> list[tuple[str, Plot]]:
    """Accuracy against each cost there is: the synaptic operations and the parameters."""
    names = [name for name in board.metrics if name == "parameters" or _counts_operations(name)]
    names.sort(key=lambda name: (name == "parameters", name))
    plots = [(name, scatter(board, name)) for name in names]
    return [(name, plot) for name, plot in plots if plot is not None]


def _counts_operations(name: str) -> bool:
    # The dense count is what a network without spikes would need: no cost of this one.
    return name.startswith("synaptic_operations") and not name.endswith("dense")


def scatter(board: Board, name: str) -> Plot | None:
    """Accuracy (up) against the figure `name` (across, by powers of ten), a point a row; None with under two."""
    measured = [
        row for row in [*board.rows, *board.unranked] if "accuracy" in row.metrics and name in row.metrics
    ]
    rows = [row for row in measured if row.metrics[name].mean > 0]  # 0 has no place among powers of ten
    if len(rows) < 2:
        return None
    costs = [math.log10(row.metrics[name].mean) for row in rows]
    x_low, x_high, x_ticks = log_axis(min(costs), max(costs))
    ends = [value for row in rows for value in _ends(row)]
    y_low, y_high, y_ticks = linear_axis(min(ends), min(1.0, max(ends)))
    left, right, top, bottom = 44.0, WIDTH - 22, 12.0, 292.0

    def across(value: float) -> float:
        return left + (value - x_low) / (x_high - x_low) * (right - left)

    def up(value: float) -> float:
        return bottom - (value - y_low) / (y_high - y_low) * (bottom - top)

    marks = []
    for row, cost in zip(rows, costs, strict=True):
        x, y = across(cost), up(row.metrics["accuracy"].mean)
        low, high = map(up, _ends(row))
        said = f"{_said(row)}; {figures.caption(name)} {figures.number(row.metrics[name].mean, name)}"
        marks.append(Mark(row, x, y, low, high, said, label=figures.plain(row.label)))
    _label(marks, left, right, top, bottom)
    return Plot(
        bottom + 48,
        left,
        right,
        top,
        bottom,
        figures.caption(name, board.units[name]),
        [Tick(across(value), figures.number(10**value)) for value in x_ticks],
        marks,
        [Tick(up(value), f"{100 * value:g}") for value in y_ticks],
        left_out=[row.label for row in measured if row not in rows],
    )


def _ends(row: Row) -> tuple[float, float]:
    figure = row.metrics["accuracy"]
    return (
        figure.mean if figure.low is None else figure.low,
        figure.mean if figure.high is None else figure.high,
    )


def _said(row: Row) -> str:
    figure = row.metrics["accuracy"]
    runs = "1 run" if figure.seeds == 1 else f"{figure.seeds} runs"
    return (
        f"{figures.plain(row.label)}: {figures.percent(figure.mean)} %, "
        f"95 % interval {figures.interval('accuracy', figure)}, {runs}"
    )


def _label(marks: list[Mark], left: float, right: float, top: float, bottom: float) -> None:
    """Names beside their points, towards the wider side, pushed apart where they would overlap."""
    for mark in marks:
        rightwards = mark.x < (left + right) / 2
        mark.anchor = "start" if rightwards else "end"
        mark.label_x = mark.x + (10 if rightwards else -10)
        mark.label_y = mark.y + 4
    for side in ("start", "end"):
        same = sorted((mark for mark in marks if mark.anchor == side), key=lambda mark: mark.label_y)
        for above, below in pairwise(same):
            below.label_y = max(below.label_y, above.label_y + 17)
        limit = bottom - 6
        for mark in reversed(same):
            mark.label_y = min(mark.label_y, limit)
            limit = mark.label_y - 17


def linear_axis(low: float, high: float, wanted: int = 5) -> tuple[float, float, list[float]]:
    """Round ends at or beyond the shares `low` and `high`, and about `wanted` round values between them."""
    spread = max(high - low, 1e-3)  # a tenth of a point of accuracy: less is no difference to draw
    step = 10 ** math.floor(math.log10(spread / wanted))
    step *= next((factor for factor in (1, 2, 5) if spread / (step * factor) <= wanted), 10)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return first * step, last * step, [round(step * count, 12) for count in range(first, last + 1)]


def log_axis(low: float, high: float) -> tuple[float, float, list[float]]:
    """The same for exponents of ten: ticks at 1, 2 and 5 times powers of ten, at powers alone over wide spans."""
    margin = max(0.08 * (high - low), 0.08)
    low, high = low - margin, high + margin
    factors: Sequence[int] = (1, 2, 5) if high - low <= 2.2 else (1,)
    ticks = [
        power + math.log10(factor)
        for power in range(math.floor(low), math.ceil(high) + 1)
        for factor in factors
    ]
    inside = [tick for tick in ticks if low <= tick <= high]
    return low, high, inside or [(low + high) / 2]
