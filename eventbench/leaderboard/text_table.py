"""Tables as text: columns of text may fold, figures are never broken over lines."""

from __future__ import annotations

import io
from collections.abc import Sequence

from eventbench.leaderboard import figures

SHORTEST_TEXT = 12
"""Characters to which a column of text may be folded; a table that needs less grows wider than its width."""


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
    for index, heading in enumerate(headings):
        is_text = index < left
        # Figures are never broken over lines: half a number would be misread.
        table.add_column(
            Text(heading), justify="left" if is_text else "right", overflow="fold", no_wrap=not is_text
        )
    for line in lines:
        table.add_row(*(Text(figures.plain(cell)) for cell in line))
    out = io.StringIO()
    least_width = narrowest(headings, lines, left=left, dense=dense)
    Console(file=out, width=max(width, least_width), color_system=None).print(table)
    rendered = (line.rstrip() for line in out.getvalue().splitlines())
    return "\n".join(line for line in rendered if line)


def narrowest(
    headings: Sequence[str],
    lines: Sequence[Sequence[str]],
    *,
    left: int,
    dense: bool = False,
    text_width: int = SHORTEST_TEXT,
) -> int:
    """The smallest width of a table with all figures whole and text folded to lines of `text_width` characters."""
    widest = [
        max(len(part) for cell in column for part in cell.split("\n"))
        for column in zip(headings, *lines, strict=True)
    ]
    texts = sum(min(text_width, size) for size in widest[:left])
    return sum(widest[left:]) + texts + (2 if dense else 3) * (len(widest) - 1) + 2
