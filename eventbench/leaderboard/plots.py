"""Plots of the page: coordinates of axes, marks and labels, which the template draws."""

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
    """A tick of an axis: its coordinate `at` and its label."""

    at: float
    text: str


@dataclass
class Mark:
    """One row in a plot: `x` and `y` of its mean, `low` and `high` of its interval, and `dots`: (x, text) of each run."""

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
    """A drawing of `width` by `height` with its axes; `left`, `right`, `top` and `bottom` are the edges of the frame.

    `left_out` names the rows that cannot be drawn.
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
    """The main figure of each row on a line of its own: its mean, its interval, a small dot for each run."""
    main, writer = board.kind.main_figure, figures.Writer(board.kind)
    rows = [row for row in [*board.rows, *board.unranked] if main in row.metrics]
    if not rows:
        return None
    runs_of = [[run for run in row.runs if main in run.scores] for row in rows]
    values = [end for row in rows for end in _interval(row.metrics[main])]
    values += [run.scores[main].value for runs in runs_of for run in runs]
    low, high, ticks = _axis(board, values)
    left, right, top, step = 14.0, WIDTH - 22, 8.0, 48.0

    def x_of(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    marks = []
    for index, (row, runs) in enumerate(zip(rows, runs_of, strict=True)):
        figure = row.metrics[main]
        interval_low, interval_high = _interval(figure)
        marks.append(
            Mark(
                row,
                x=x_of(figure.mean),
                y=top + step * index + 36,
                low=x_of(interval_low),
                high=x_of(interval_high),
                title=_title(row, writer),
                dots=[
                    (x_of(value), f"seed {run.seed}: {writer.with_unit(value, main)}")
                    for run in runs
                    for value in [run.scores[main].value]
                ],
                label=figures.plain(row.label),
                label_x=left,
                label_y=top + step * index + 18,
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
        [Tick(x_of(value), text) for value, text in ticks],
        marks,
    )


def scatters(board: Board) -> list[tuple[str, Plot]]:
    """The main figure against each cost that the rows have: synaptic operations and parameters."""
    names = [name for name in board.metrics if name == "parameters" or _counts_operations(name)]
    names.sort(key=lambda name: (name == "parameters", name))
    plots = [(name, scatter(board, name)) for name in names]
    return [(name, plot) for name, plot in plots if plot is not None]


def _counts_operations(name: str) -> bool:
    # The dense count is what a network without spikes would need, not a cost of this one.
    return name.startswith("synaptic_operations") and not name.endswith("dense")


def scatter(board: Board, name: str) -> Plot | None:
    """The main figure (y) against `name` (x, logarithmic), a point for each row; None with fewer than two points."""
    main, writer = board.kind.main_figure, figures.Writer(board.kind)
    measured = [row for row in [*board.rows, *board.unranked] if {main, name} <= row.metrics.keys()]
    rows = [row for row in measured if row.metrics[name].mean > 0]  # 0 has no logarithm
    if len(rows) < 2:
        return None
    costs = [math.log10(row.metrics[name].mean) for row in rows]
    x_low, x_high, x_ticks = log_axis(min(costs), max(costs))
    y_low, y_high, y_ticks = _axis(board, [end for row in rows for end in _interval(row.metrics[main])])
    left, right, top, bottom = 44.0, WIDTH - 22, 12.0, 292.0

    def x_of(value: float) -> float:
        return left + (value - x_low) / (x_high - x_low) * (right - left)

    def y_of(value: float) -> float:
        return bottom - (value - y_low) / (y_high - y_low) * (bottom - top)

    marks = []
    for row, cost in zip(rows, costs, strict=True):
        low, high = map(y_of, _interval(row.metrics[main]))
        title = f"{_title(row, writer)}; {writer.caption(name)} {writer.number(row.metrics[name].mean, name)}"
        y = y_of(row.metrics[main].mean)
        marks.append(Mark(row, x_of(cost), y, low, high, title, label=figures.plain(row.label)))
    place_labels(marks, left, right, bottom)
    return Plot(
        bottom + 48,
        left,
        right,
        top,
        bottom,
        writer.caption(name, board.units[name]),
        [Tick(x_of(value), writer.number(10**value)) for value in x_ticks],
        marks,
        [Tick(y_of(value), text) for value, text in y_ticks],
        left_out=[row.label for row in measured if row not in rows],
    )


def _axis(board: Board, values: list[float]) -> tuple[float, float, list[tuple[float, str]]]:
    """The ends of an axis for the main figure, and its ticks with their text; shares are in percent, up to 100."""
    share = board.kind.is_share(board.kind.main_figure)
    low, high, ticks = linear_axis(min(values), min(1.0, max(values)) if share else max(values))
    return low, high, [(value, f"{100 * value if share else value:g}") for value in ticks]


def _interval(figure: RunFigure) -> tuple[float, float]:
    """The ends of the figure's interval; the mean twice where it has none."""
    return (
        figure.mean if figure.low is None else figure.low,
        figure.mean if figure.high is None else figure.high,
    )


def _title(row: Row, writer: figures.Writer) -> str:
    """The row in words, for the tooltip of its mark and for screen readers."""
    main = writer.kind.main_figure
    figure = row.metrics[main]
    runs = "1 run" if figure.seeds == 1 else f"{figure.seeds} runs"
    ends = writer.interval(main, figure)
    interval = f", {writer.interval_heading(main)} {ends}" if ends else ""
    return f"{figures.plain(row.label)}: {writer.with_unit(figure.mean, main)}{interval}, {runs}"


def place_labels(marks: list[Mark], left: float, right: float, bottom: float) -> None:
    """Place the labels beside their points, on the side with more room, moved apart where they would overlap."""
    for mark in marks:
        rightwards = mark.x < (left + right) / 2
        mark.anchor = "start" if rightwards else "end"
        mark.label_x = mark.x + (10 if rightwards else -10)
        mark.label_y = mark.y + 4
    for side in ("start", "end"):
        on_side = sorted((mark for mark in marks if mark.anchor == side), key=lambda mark: mark.label_y)
        for above, below in pairwise(on_side):
            below.label_y = max(below.label_y, above.label_y + 17)
        limit = bottom - 6
        for mark in reversed(on_side):
            mark.label_y = min(mark.label_y, limit)
            limit = mark.label_y - 17
