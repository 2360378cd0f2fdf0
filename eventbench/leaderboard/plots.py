"""Where things lie in the plots of the page: numbers in, coordinates out; the template draws them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

from eventbench.leaderboard import figures
from eventbench.leaderboard.axes import linear_axis, log_axis
from eventbench.leaderboard.rows import Board, Row, RunFigure

WIDTH = 520.0


@dataclass
class Tick:
    """A mark of an axis at the coordinate `at`, and what stands beside it."""

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
    title: str
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
    """The main figure of the kind of task, a line a row: its mean, its interval, a small dot for each run."""
    main, writer = board.kind.main_figure, figures.Writer(board.kind)
    rows = [row for row in [*board.rows, *board.unranked] if main in row.metrics]
    if not rows:
        return None
    runs_of = [[run for run in row.runs if main in run.scores] for row in rows]
    values = [end for row in rows for end in _ends(row.metrics[main])]
    values += [run.scores[main].value for runs in runs_of for run in runs]
    low, high, ticks = _axis(board, values)
    left, right, top, step = 14.0, WIDTH - 22, 8.0, 48.0

    def across(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    marks = []
    for number, (row, runs) in enumerate(zip(rows, runs_of, strict=True)):
        figure = row.metrics[main]
        first, last = _ends(figure)
        marks.append(
            Mark(
                row,
                x=across(figure.mean),
                y=top + step * number + 36,
                low=across(first),
                high=across(last),
                title=_title(row, writer),
                dots=[
                    (across(value), f"seed {run.seed}: {writer.with_unit(value, main)}")
                    for run in runs
                    for value in [run.scores[main].value]
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
        writer.caption(main, board.units[main]),
        [Tick(across(value), text) for value, text in ticks],
        marks,
    )


def scatters(board: Board) -> list[tuple[str, Plot]]:
    """The main figure against each cost there is: the synaptic operations and the parameters."""
    names = [name for name in board.metrics if name == "parameters" or _counts_operations(name)]
    names.sort(key=lambda name: (name == "parameters", name))
    plots = [(name, scatter(board, name)) for name in names]
    return [(name, plot) for name, plot in plots if plot is not None]


def _counts_operations(name: str) -> bool:
    # The dense count is what a network without spikes would need: no cost of this one.
    return name.startswith("synaptic_operations") and not name.endswith("dense")


def scatter(board: Board, name: str) -> Plot | None:
    """The main figure (up) against `name` (across, by powers of ten), a point a row; None with fewer than two."""
    main, writer = board.kind.main_figure, figures.Writer(board.kind)
    measured = [row for row in [*board.rows, *board.unranked] if {main, name} <= row.metrics.keys()]
    rows = [row for row in measured if row.metrics[name].mean > 0]  # 0 has no place among powers of ten
    if len(rows) < 2:
        return None
    costs = [math.log10(row.metrics[name].mean) for row in rows]
    x_low, x_high, x_ticks = log_axis(min(costs), max(costs))
    y_low, y_high, y_ticks = _axis(board, [end for row in rows for end in _ends(row.metrics[main])])
    left, right, top, bottom = 44.0, WIDTH - 22, 12.0, 292.0

    def across(value: float) -> float:
        return left + (value - x_low) / (x_high - x_low) * (right - left)

    def up(value: float) -> float:
        return bottom - (value - y_low) / (y_high - y_low) * (bottom - top)

    marks = []
    for row, cost in zip(rows, costs, strict=True):
        low, high = map(up, _ends(row.metrics[main]))
        title = f"{_title(row, writer)}; {writer.caption(name)} {writer.number(row.metrics[name].mean, name)}"
        y = up(row.metrics[main].mean)
        marks.append(Mark(row, across(cost), y, low, high, title, label=figures.plain(row.label)))
    place_labels(marks, left, right, bottom)
    return Plot(
        bottom + 48,
        left,
        right,
        top,
        bottom,
        writer.caption(name, board.units[name]),
        [Tick(across(value), writer.number(10**value)) for value in x_ticks],
        marks,
        [Tick(up(value), text) for value, text in y_ticks],
        left_out=[row.label for row in measured if row not in rows],
    )


def _axis(board: Board, values: list[float]) -> tuple[float, float, list[tuple[float, str]]]:
    """The ends of an axis for the main figure, and its ticks with their text: shares in percent, 100 at most."""
    share = board.kind.is_share(board.kind.main_figure)
    low, high, ticks = linear_axis(min(values), min(1.0, max(values)) if share else max(values))
    return low, high, [(value, f"{100 * value if share else value:g}") for value in ticks]


def _ends(figure: RunFigure) -> tuple[float, float]:
    return (
        figure.mean if figure.low is None else figure.low,
        figure.mean if figure.high is None else figure.high,
    )


def _title(row: Row, writer: figures.Writer) -> str:
    """What a pointer that rests on the row's mark is told, and a screen reader."""
    main = writer.kind.main_figure
    figure = row.metrics[main]
    runs = "1 run" if figure.seeds == 1 else f"{figure.seeds} runs"
    spread = writer.interval(main, figure)
    interval = f", {writer.interval_heading(main)} {spread}" if spread else ""
    return f"{figures.plain(row.label)}: {writer.with_unit(figure.mean, main)}{interval}, {runs}"


def place_labels(marks: list[Mark], left: float, right: float, bottom: float) -> None:
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
