"""Tables of text whose figures are never broken over lines."""

from __future__ import annotations

import io
from collections.abc import Sequence

from eventbench.leaderboard import figures

SHORTEST_TEXT = 12
"""How narrow a column of text may be folded before a table rather grows wider than it should."""


def render(
    headings: Sequence[str],
    lines: Sequence[Sequence[str]],
    *,
    width: int,
    left: int = 1,
    dense: bool = False,
) -> str:
    """A table `width` characters wide at most, unless its figures need more.

    The first `left` columns are text, which may fold; the others are figures. `dense` leaves less room between them.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0) if dense else (0, 1))
    for place, heading in enumerate(headings):
        # Figures are never broken over lines: half a number is worse than none.
        table.add_column(
            Text(heading), justify="left" if place < left else "right", overflow="fold", no_wrap=place >= left
        )
    for line in lines:
        table.add_row(*(Text(figures.plain(cell)) for cell in line))
    out = io.StringIO()
    least = narrowest(headings, lines, left=left, dense=dense)
    Console(file=out, width=max(width, least), color_system=None).print(table)
    rendered = (line.rstrip() for line in out.getvalue().splitlines())
    return "\n".join(line for line in rendered if line)


def narrowest(
    headings: Sequence[str],
    lines: Sequence[Sequence[str]],
    *,
    left: int,
    dense: bool = False,
    text: int = SHORTEST_TEXT,
) -> int:
    """The narrowest such a table can be read at: every figure whole, `text` characters of every text."""
    widest = [
        max(len(part) for cell in column for part in cell.split("\n"))
        for column in zip(headings, *lines, strict=True)
    ]
    texts = sum(min(text, size) for size in widest[:left])
    return sum(widest[left:]) + texts + (2 if dense else 3) * (len(widest) - 1) + 2
