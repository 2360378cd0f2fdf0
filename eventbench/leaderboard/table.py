"""Boards and comparisons as text: for a terminal, for a pipe, for README.md."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from eventbench.leaderboard import figures
from eventbench.leaderboard.rows import Board

TIE_SENTENCE = (
    "* the test samples do not tell it from the first (exact paired sign-flip test, p > 0.05 after Holm)."
)


def render(headings: list[str], lines: list[list[str]], *, width: int, left: int = 1) -> str:
    """A table `width` characters wide at most, unless its figures need more; the first `left` columns are text, the others figures."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        # Figures are never broken over lines: half a number is worse than none.
        table.add_column(
            Text(heading), justify="left" if place < left else "right", overflow="fold", no_wrap=place >= left
        )
    for line in lines:
        table.add_row(*(Text(figures.plain(cell)) for cell in line))
    out = io.StringIO()
    Console(file=out, width=max(width, _least(headings, lines, left)), color_system=None).print(table)
    drawn = (line.rstrip() for line in out.getvalue().splitlines())
    return "\n".join(line for line in drawn if line)


def _least(headings: list[str], lines: list[list[str]], left: int) -> int:
    """The narrowest such a table can be read at: every figure whole, twelve characters of every text."""
    widest = [
        max(len(part) for cell in column for part in cell.split("\n"))
        for column in zip(headings, *lines, strict=True)
    ]
    return sum(widest[left:]) + sum(min(12, size) for size in widest[:left]) + 2 * len(widest) + 2


def board_text(board: Board, width: int = 120) -> str:
    """The ranked table, the further metrics, and every record that is not in it with the reason."""
    title = f"{board.task}: {board.title}" if board.title else board.task
    parts = [f"{figures.plain(title)} · {board.samples:,} test samples · ranked by {board.rank_by}"]
    rows = [*board.rows, *board.unranked]
    if rows:
        parts.append(_ranking(board, width))
        parts += _further(board, width)
    parts += _sentences(board)
    return "\n\n".join(parts)


def _ranking(board: Board, width: int) -> str:
    rank_by, lines = board.rank_by, []
    for row in [*board.rows, *board.unranked]:
        figure = row.metrics[rank_by]
        tied = "*" if row.tied_with_first and row.rank != 1 else ""
        lines.append(
            [
                figures.rank(row) + tied or "-",
                row.label,
                figures.number(figure.mean, rank_by),
                figures.interval(rank_by, figure),
                figures.number(figure.std, rank_by),
                str(figure.seeds),
                row.status,
            ]
        )
    spread = "95 % interval" if rank_by == "accuracy" else "lowest to highest"
    headings = [
        "#",
        "model",
        figures.caption(rank_by, board.units.get(rank_by, "")),
        spread,
        "sd",
        "seeds",
        "status",
    ]
    return render(headings, lines, width=width, left=2)


def _further(board: Board, width: int) -> list[str]:
    """The other metrics, as many columns a table as fit the width."""
    rows = [*board.rows, *board.unranked]
    columns = {
        name: [figures.with_spread(name, row.metrics.get(name)) for row in rows]
        for name in board.metrics
        if name != board.rank_by
    }
    headings = {name: "\n".join(figures.heading(name, board.units[name])) for name in columns}
    labels = [row.label for row in rows]
    # A model's name may fold; it is given a third of the line at most.
    room = width - min(max(map(len, labels)), width // 3) - 2
    tables: list[list[str]] = []
    used = room + 1
    for name, cells in columns.items():
        needed = max(map(len, [*headings[name].split("\n"), *cells])) + 3
        if used + needed > room:
            tables.append([])
            used = 0
        tables[-1].append(name)
        used += needed
    return [
        render(
            ["model", *(headings[name] for name in names)],
            [[label, *(columns[name][place] for name in names)] for place, label in enumerate(labels)],
            width=width,
        )
        for names in tables
    ]


def _sentences(board: Board) -> list[str]:
    said = []
    if any(row.tied_with_first and row.rank != 1 for row in board.rows):
        said.append(TIE_SENTENCE)
    said += [f"- {figures.plain(row.label)} is not ranked: {row.why_unranked}." for row in board.unranked]
    said += [
        f"- withdrawn: {figures.plain(entry.id)}: {figures.plain(entry.withdrawn)}"
        for entry in board.withdrawn
    ]
    said += [f"- broken: {figures.plain(item.id)}: {figures.plain(item.reason)}" for item in board.broken]
    return ["\n".join(said)] if said else []


def comparison_text(found: dict[str, Any], width: int = 120) -> str:
    """`compare` of two records: provenance, accuracies, the paired statistics, the other metrics."""
    lines = [
        ["" if line["same"] else "≠", line["field"], _cell(line["a"]), _cell(line["b"])]
        for line in found["provenance"]
    ]
    accuracy = found["accuracy"]
    difference = accuracy["difference"]
    parts = [
        f"A  {figures.plain(found['records']['a'])}\nB  {figures.plain(found['records']['b'])}",
        render(["", "made from", "A", "B"], lines, width=width, left=4),
        *(
            f"{side.upper()}  accuracy {figures.percent(accuracy[side]['mean'])} %, 95 % interval "
            f"{figures.percent(accuracy[side]['low'])} to {figures.percent(accuracy[side]['high'])}, "
            f"{accuracy[side]['seeds']} {'run' if accuracy[side]['seeds'] == 1 else 'runs'}"
            for side in ("a", "b")
        ),
        f"A - B  {100 * difference['mean']:+.2f} points, 95 % interval {100 * difference['low']:+.2f} to "
        f"{100 * difference['high']:+.2f} (paired bootstrap), p = {figures.p_value(difference['p'])} "
        f"(exact sign-flip test), {found['samples']:,} samples",
        render(
            ["run of A", "run of B", "only A right", "only B right", "McNemar p", "after Holm"],
            [
                [
                    f"seed {pair['seed_a']}",
                    f"seed {pair['seed_b']}",
                    str(pair["only_a"]),
                    str(pair["only_b"]),
                    figures.p_value(pair["p"]),
                    figures.p_value(pair["p_holm"]),
                ]
                for pair in found["runs"]
            ],
            width=width,
            left=2,
        ),
    ]
    if found["metrics"]:
        rows = [
            [
                figures.caption(name, pair["a"]["unit"]),
                *(figures.number(pair[side]["mean"], name) for side in ("a", "b")),
            ]
            for name, pair in found["metrics"].items()
        ]
        parts.append(render(["metric", "A", "B"], rows, width=width))
    return "\n\n".join(parts)


def _cell(value: Any) -> str:
    """A digest is shown by its first digits: the whole of it is in --json."""
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef"):
        return value[:12]
    return "-" if value is None else str(value)


def markdown_board(board: Board) -> str:
    """The board as a markdown table, for `leaderboard/README.md`."""
    others = [name for name in board.metrics if name != board.rank_by]
    spread = "95 % interval" if board.rank_by == "accuracy" else "lowest to highest"
    headings = [
        "#",
        "model",
        figures.caption(board.rank_by, board.units[board.rank_by]),
        spread,
        "seeds",
        "status",
        *(figures.caption(name, board.units[name]) for name in others),
    ]
    lines = [f"### {_safe(board.task)}", ""]
    if board.title:
        lines += [_safe(board.title), ""]
    lines += [_line(headings), _line(["---:", "---", "---:", "---:", "---:", "---", *["---:"] * len(others)])]
    for row in [*board.rows, *board.unranked]:
        figure = row.metrics[board.rank_by]
        tied = "\\*" if row.tied_with_first and row.rank != 1 else ""
        cells = [
            figures.with_spread(board.rank_by, figure),
            figures.interval(board.rank_by, figure),
            str(figure.seeds),
            row.status,
            *(figures.with_spread(name, row.metrics.get(name)) for name in others),
        ]
        lines.append(_line([(figures.rank(row) or "-") + tied, *map(_safe, [row.label, *cells])]))
    notes = [_safe(sentence) for part in _sentences(board) for sentence in part.splitlines()]
    return "\n".join([*lines, "", *notes]).rstrip() + "\n"


def markdown_page(boards: Sequence[Board]) -> str:
    """All boards as the text of `leaderboard/README.md`."""
    head = "# Boards\n\nMade from the records in this folder by `make board`; a test holds it to them.\n"
    return "\n".join([head, *(markdown_board(view) for view in boards if not view.empty)])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _safe(text: str) -> str:
    """Text that markdown and HTML leave as it is."""
    text = figures.plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + letter if letter in "\\`*[]|" else letter for letter in text)
