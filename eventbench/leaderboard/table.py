"""The board of a task as text: the columns that rank first, further ones on request."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from eventbench.errors import UnknownName
from eventbench.leaderboard import figures
from eventbench.leaderboard.ranking import SIGNIFICANCE
from eventbench.leaderboard.rows import Board, Row
from eventbench.leaderboard.text_table import narrowest, render

# What a board shows first, beside the columns that rank, as far as they fit; the rest on request.
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
"""A further column has to leave so many characters to the model's name."""
LONGEST_UNIT = 4
"""The first table shows no longer unit."""


def board_text(board: Board, width: int = 120, columns: Sequence[str] | None = None) -> str:
    """The ranked table with the figures of `columns`, and every record that is not in it with the reason.

    columns: names of figures, or of metrics with all their figures; the first table is `width` wide and what does not
    fit comes in further ones. None: FIRST_COLUMNS as far as they fit FIRST_WIDTH, then the names of what is left out.

    Raises UnknownName for a column that no row has.
    """
    title = f"{board.task}: {board.title}" if board.title else board.task
    parts = [f"{figures.plain(title)} · {board.samples:,} test samples · ranked by {board.rank_by}"]
    if board.rows or board.unranked:
        parts += _tables(board, width, columns)
    return "\n\n".join([*parts, *sentences(board)])


def chosen_columns(board: Board, names: Sequence[str]) -> list[str]:
    """The figures that `names` stand for, each once: a figure's own name, or a metric's for all its figures.

    Raises UnknownName, with what there is, for any other name.
    """
    others = [name for name in board.metrics if name != board.rank_by]
    chosen: dict[str, None] = {}
    for name in names:
        matching = [other for other in others if name in (other, other.partition(".")[0])]
        # The column that ranks is always shown.
        if not matching and name != board.rank_by:
            raise UnknownName("column", name, others, where=board.task)
        chosen |= dict.fromkeys(matching)
    return list(chosen)


def _tables(board: Board, width: int, columns: Sequence[str] | None) -> list[str]:
    """The ranking beside the columns that fit; the others in tables of their own, or by name."""
    others = [name for name in board.metrics if name != board.rank_by]
    if columns is None:
        wanted = [name for name in FIRST_COLUMNS if name in others]
        table, beside = _ranked_beside(board, wanted, min(width, FIRST_WIDTH), dense=True)
        return [table, *_left_out([name for name in others if name not in beside], min(width, FIRST_WIDTH))]
    wanted = chosen_columns(board, columns)
    table, beside = _ranked_beside(board, wanted, width, dense=False)
    return [table, *_further(board, [name for name in wanted if name not in beside], width)]


def _ranked_beside(board: Board, names: list[str], width: int, *, dense: bool) -> tuple[str, list[str]]:
    """The ranking with those of the further columns, in order, that fit beside it; the table, and their names."""
    columns = _ranking(board, dense)
    beside: list[str] = []
    for name in names:
        wider = [*columns, _column(board, name, dense)]
        headings, lines = _turned(wider)
        if narrowest(headings, lines, left=2, dense=dense, text=READABLE_TEXT) <= width:
            columns = wider
            beside.append(name)
    headings, lines = _turned(columns)
    return render(headings, lines, width=width, left=2, dense=dense), beside


def _ranking(board: Board, dense: bool) -> list[list[str]]:
    """The columns that rank, each its heading and its cells; `dense` leaves out deviations where there are none."""
    writer, rank_by = figures.Writer(board.kind), board.rank_by
    rows = [*board.rows, *board.unranked]
    ranked = [row.metrics[rank_by] for row in rows]
    heading = writer.caption(rank_by, board.units.get(rank_by, ""))
    columns = [
        ["#", *(figures.rank(row) + ("*" if is_tied(row) else "") or "-" for row in rows)],
        ["model", *(row.label for row in rows)],
        [_narrow(heading) if dense else heading, *(writer.number(figure.mean, rank_by) for figure in ranked)],
        [writer.interval_heading(rank_by), *(writer.interval(rank_by, figure) for figure in ranked)],
        ["sd", *(writer.number(figure.std, rank_by) for figure in ranked)],
        ["seeds", *(str(figure.seeds) for figure in ranked)],
        ["status", *(row.status for row in rows)],
    ]
    return [column for column in columns if any(column[1:]) or not dense]


def is_tied(row: Row) -> bool:
    """Not the first, and not told from it by the test samples."""
    return bool(row.tied_with_first) and row.rank != 1


def _column(board: Board, name: str, dense: bool = False) -> list[str]:
    """The heading of a figure, in lines, and its cells; `dense`: means alone, under the figure's own name."""
    writer, rows = figures.Writer(board.kind), [*board.rows, *board.unranked]
    if not dense:
        heading = "\n".join(writer.heading(name, board.units[name]))
        return [heading, *(writer.with_spread(name, row.metrics.get(name)) for row in rows)]
    unit = board.units[name] if len(board.units[name]) <= LONGEST_UNIT else ""
    heading = _narrow(writer.caption(name.rpartition(".")[2], unit))
    means = (row.metrics[name].mean if name in row.metrics else None for row in rows)
    return [heading, *(writer.number(mean, name) for mean in means)]


def _narrow(heading: str) -> str:
    """A word a line."""
    return heading.replace(" ", "\n")


def _turned(columns: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """Headings, and lines of cells."""
    headings, *lines = (list(line) for line in zip(*columns, strict=True))
    return headings, lines


def _left_out(names: list[str], width: int) -> list[str]:
    """Which columns there are besides, and how to see them."""
    if not names:
        return []
    return [
        textwrap.fill(
            f"Not shown: {', '.join(names)}; compare --columns NAME,NAME or --all shows them.", width
        )
    ]


def _further(board: Board, names: list[str], width: int) -> list[str]:
    """Columns that have no place beside the ranking, as many a table as fit the width."""
    labels = ["model", *(row.label for row in [*board.rows, *board.unranked])]
    # A model's name may fold; it is given a third of the line at most.
    room = width - min(max(map(len, labels)), width // 3) - 2
    tables: list[list[list[str]]] = []
    used = room + 1
    for column in (_column(board, name) for name in names):
        needed = max(len(line) for cell in column for line in cell.split("\n")) + 3
        if used + needed > room:
            tables.append([labels])
            used = 0
        tables[-1].append(column)
        used += needed
    return [render(*_turned(columns), width=width) for columns in tables]


def sentences(board: Board) -> list[str]:
    """What must be known beside the table, a line each, as one paragraph."""
    lines = []
    if any(is_tied(row) for row in board.rows):
        lines.append(
            f"* the test samples do not tell it from the first ({board.kind.paired_test}, p > {SIGNIFICANCE} after Holm)."
        )
    lines += [f"- {figures.plain(row.label)} is not ranked: {row.why_unranked}." for row in board.unranked]
    lines += [
        f"- withdrawn: {figures.plain(entry.id)}: {figures.plain(entry.withdrawn)}"
        for entry in board.withdrawn
    ]
    lines += [f"- broken: {figures.plain(item.id)}: {figures.plain(item.reason)}" for item in board.broken]
    return ["\n".join(lines)] if lines else []
