"""The board of a task as text: the ranking with the figures that fit beside it, further columns on request."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from eventbench.errors import UnknownName
from eventbench.leaderboard import figures
from eventbench.leaderboard.rows import Board
from eventbench.leaderboard.text_table import narrowest, render

# The figures that a board shows beside the ranking, as far as they fit; others are shown on request.
FIRST_COLUMNS = (
    "parameters",
    "synaptic_operations.effective_acs",
    "synaptic_operations.effective_macs",
    "firing_rate",
    "latency",
)
FIRST_WIDTH = 100
"""The first table is no wider than this, whatever the terminal: it is also read in logs and in a README."""
READABLE_TEXT = 24
"""Characters that a further column has to leave to the model's name."""
LONGEST_UNIT = 4
"""Characters of the longest unit that the first table shows."""


def board_text(board: Board, width: int = 120, columns: Sequence[str] | None = None) -> str:
    """The ranked table with the figures of `columns`, and a note on each record that is not in it.

    columns: names of figures, or of metrics for all their figures; those that do not fit a table of `width` characters
    are in further tables. None: FIRST_COLUMNS as far as they fit FIRST_WIDTH, then the names of the figures left out.

    Raises UnknownName for a column that no row has.
    """
    title = f"{board.task}: {board.title}" if board.title else board.task
    parts = [f"{figures.plain(title)} · {board.samples:,} test samples · ranked by {board.rank_by}"]
    if board.rows or board.unranked:
        parts += _tables(board, width, columns)
    if board.apart:
        parts.append(_apart_table(board, width))
    # How it was tested is prose, and is folded; a reason or a name is left as it is.
    told = f"{figures.tests_of(board.kind)}."
    folded = [part.replace(told, textwrap.fill(told, min(width, FIRST_WIDTH))) for part in sentences(board)]
    return "\n\n".join([*parts, *folded])


def _apart_table(board: Board, width: int) -> str:
    """The second table: sound records that were not made by the rules of the first, and why."""
    writer, main = figures.Writer(board.kind, board.device), board.kind.main_figure
    headings = ["stands apart, not ranked", "why", writer.caption(main, board.units.get(main, ""))]
    lines = [
        [apart.entry.id, "; ".join(apart.reasons), writer.number(apart.mean, main)] for apart in board.apart
    ]
    return render(headings, lines, width=min(width, FIRST_WIDTH), left=2)


def chosen_columns(board: Board, names: Sequence[str]) -> list[str]:
    """The figures that `names` stand for, each once: the name of a figure, or of a metric for all its figures.

    Raises UnknownName, with the names that exist, for any other name.
    """
    figure_names = _further_figures(board)
    chosen: dict[str, None] = {}
    for name in names:
        matching = [figure for figure in figure_names if name in (figure, figure.partition(".")[0])]
        # The figure that ranks is always shown.
        if not matching and name != board.rank_by:
            raise UnknownName("column", name, figure_names, where=board.task)
        chosen |= dict.fromkeys(matching)
    return list(chosen)


def _tables(board: Board, width: int, columns: Sequence[str] | None) -> list[str]:
    """The ranking with the columns that fit beside it; the others in tables of their own, or by name."""
    if columns is None:
        figure_names, width = _further_figures(board), min(width, FIRST_WIDTH)
        first = [name for name in FIRST_COLUMNS if name in figure_names]
        table, shown = _ranking_table(board, first, width, dense=True)
        return [table, *_left_out([name for name in figure_names if name not in shown], width)]
    chosen = chosen_columns(board, columns)
    table, shown = _ranking_table(board, chosen, width, dense=False)
    return [table, *_further_tables(board, [name for name in chosen if name not in shown], width)]


def _further_figures(board: Board) -> list[str]:
    """The names of all figures but the one that ranks."""
    return [name for name in board.metrics if name != board.rank_by]


def _ranking_table(board: Board, names: list[str], width: int, *, dense: bool) -> tuple[str, list[str]]:
    """The table of the ranking and of those figures in `names` that fit beside it, and the names of these."""
    columns = _ranking(board, dense)
    shown: list[str] = []
    for name in names:
        wider = [*columns, _column(board, name, dense)]
        headings, lines = _transposed(wider)
        if narrowest(headings, lines, left=2, dense=dense, text_width=READABLE_TEXT) <= width:
            columns = wider
            shown.append(name)
    headings, lines = _transposed(columns)
    return render(headings, lines, width=width, left=2, dense=dense), shown


def _ranking(board: Board, dense: bool) -> list[list[str]]:
    """The columns of the ranking, each its heading and its cells; `dense` leaves out columns whose cells are empty."""
    writer, rank_by = figures.Writer(board.kind, board.device), board.rank_by
    rows = [*board.rows, *board.unranked]
    ranked = [row.metrics[rank_by] for row in rows]
    heading = writer.caption(rank_by, board.units.get(rank_by, ""))
    columns = [
        ["#", *(figures.rank(row) + figures.rank_mark(row) or "-" for row in rows)],
        ["model", *(row.label for row in rows)],
        [_narrow(heading) if dense else heading, *(writer.number(figure.mean, rank_by) for figure in ranked)],
        [writer.interval_heading(rank_by), *(writer.interval(rank_by, figure) for figure in ranked)],
        ["sd", *(writer.number(figure.std, rank_by) for figure in ranked)],
        ["seeds", *(str(figure.seeds) for figure in ranked)],
        ["status", *(row.status for row in rows)],
    ]
    return [column for column in columns if any(column[1:]) or not dense]


def _column(board: Board, name: str, dense: bool = False) -> list[str]:
    """The heading of a figure and its cells; `dense`: means only, below the last part of the figure's name."""
    writer, rows = figures.Writer(board.kind, board.device), [*board.rows, *board.unranked]
    if not dense:
        heading = "\n".join(writer.heading(name, board.units[name]))
        return [heading, *(writer.cell(name, row) for row in rows)]
    unit = board.units[name] if len(board.units[name]) <= LONGEST_UNIT else ""
    heading = _narrow(writer.caption(name.rpartition(".")[2], unit))
    return [
        heading,
        *(
            _narrow(writer.cell(name, row, spread=False))
            if name not in row.metrics
            else writer.cell(name, row, spread=False)
            for row in rows
        ),
    ]


def _narrow(heading: str) -> str:
    """The heading with each word on a line of its own."""
    return heading.replace(" ", "\n")


def _transposed(columns: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """The headings, and the lines of cells, of columns that begin with their heading."""
    headings, *lines = (list(line) for line in zip(*columns, strict=True))
    return headings, lines


def _left_out(names: list[str], width: int) -> list[str]:
    """A sentence with the names of figures that are not shown, and how to see them; none where there are none."""
    if not names:
        return []
    return [
        textwrap.fill(
            f"Not shown: {', '.join(names)}; compare --columns NAME,NAME or --all shows them.", width
        )
    ]


def _further_tables(board: Board, names: list[str], width: int) -> list[str]:
    """Tables of figures that do not fit beside the ranking, as many columns in each as fit the width."""
    labels = ["model", *(row.label for row in [*board.rows, *board.unranked])]
    # A model's name may fold; it takes a third of the line at most.
    width_of_figures = width - min(max(map(len, labels)), width // 3) - 2
    tables: list[list[list[str]]] = []
    used_width = width_of_figures + 1
    for column in (_column(board, name) for name in names):
        column_width = max(len(line) for cell in column for line in cell.split("\n")) + 3
        if used_width + column_width > width_of_figures:
            tables.append([labels])
            used_width = 0
        tables[-1].append(column)
        used_width += column_width
    return [render(*_transposed(columns), width=width) for columns in tables]


def sentences(board: Board) -> list[str]:
    """Notes on the table as one paragraph, a line each: what the marks mean, and the records that are not ranked. Empty without any."""
    lines = []
    met = {figures.rank_mark(row) for row in board.rows}
    lines += [f"{mark} {text}." for mark, text in figures.MARKS.items() if mark in met]
    lines += [f"{figures.tests_of(board.kind)}."] if lines else []
    lines += [
        f"- {figures.plain(row.label)}: {metric} not counted: {figures.plain(why)}"
        for row in [*board.rows, *board.unranked]
        for metric, why in row.not_counted.items()
    ]
    lines += [f"{text}." for text in figures.elsewhere_notes([*board.rows, *board.unranked], board.device)]
    lines += [f"- {figures.plain(row.label)} is not ranked: {row.why_unranked}." for row in board.unranked]
    lines += [
        f"- withdrawn: {figures.plain(entry.id)}: {figures.plain(entry.withdrawn)}"
        for entry in board.withdrawn
    ]
    lines += [f"- broken: {figures.plain(item.id)}: {figures.plain(item.reason)}" for item in board.broken]
    return ["\n".join(lines)] if lines else []
