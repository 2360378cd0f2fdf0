"""Boards as markdown tables, for `leaderboard/README.md`."""

from __future__ import annotations

from collections.abc import Sequence

from eventbench.leaderboard import figures
from eventbench.leaderboard.rows import Board
from eventbench.leaderboard.table import sentences


def markdown_board(board: Board) -> str:
    """The board as a markdown table, for `leaderboard/README.md`."""
    others = [name for name in board.metrics if name != board.rank_by]
    writer = figures.Writer(board.kind, board.device)
    headings = [
        "#",
        "model",
        writer.caption(board.rank_by, board.units[board.rank_by]),
        writer.interval_heading(board.rank_by),
        "seeds",
        "status",
        *(writer.caption(name, board.units[name]) for name in others),
    ]
    lines = [f"### {_safe(board.task)}", ""]
    if board.title:
        lines += [_safe(board.title), ""]
    lines += [_line(headings), _line(["---:", "---", "---:", "---:", "---:", "---", *["---:"] * len(others)])]
    for row in [*board.rows, *board.unranked]:
        figure = row.metrics[board.rank_by]
        cells = [
            writer.with_spread(board.rank_by, figure),
            writer.interval(board.rank_by, figure),
            str(figure.seeds),
            row.status,
            *(writer.cell(name, row) for name in others),
        ]
        lines.append(
            _line([*map(_safe, [figures.rank(row) + figures.rank_mark(row) or "-", row.label, *cells])])
        )
    if board.apart:
        lines += ["", _line(["stands apart, not ranked", "why", writer.caption(board.kind.main_figure)])]
        lines += [_line(["---", "---", "---:"])]
    for apart in board.apart:
        figure_text = writer.number(apart.mean, board.kind.main_figure)
        lines.append(_line(list(map(_safe, [apart.entry.id, "; ".join(apart.reasons), figure_text]))))
    notes = [_safe(sentence) for part in sentences(board) for sentence in part.splitlines()]
    return "\n".join([*lines, "", *notes]).rstrip() + "\n"


def markdown_page(boards: Sequence[Board]) -> str:
    """The boards that have records, as the text of `leaderboard/README.md`."""
    head = "# Boards\n\nMade from the records in this folder by `make board`; a test holds it to them.\n"
    return "\n".join([head, *(markdown_board(view) for view in boards if not view.empty)])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _safe(text: str) -> str:
    """Text with the characters escaped that markdown or HTML would interpret."""
    text = figures.plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + letter if letter in "\\`*[]|" else letter for letter in text)
