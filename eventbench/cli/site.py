"""eventbench site: the boards as a static page with plots."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from eventbench import home
from eventbench.cli import _options


@click.command(name="site", short_help="The boards as a static page with plots.")
@click.option(
    "--out", required=True, metavar="DIR", help="The folder that gets index.html; made if it does not exist."
)
@click.option(
    "--markdown", metavar="FILE", help="Also write the tables as markdown, as in leaderboard/README.md."
)
@_options.board_dir
@_options.as_json
def command(out: str, markdown: str | None, board: str | None, as_json: bool) -> None:
    """Write every task's board, with plots, as one page that needs no network: DIR/index.html.

    Exit status 1: a record is broken; the page lists it with the reason.
    """
    from eventbench.leaderboard.markdown import markdown_page
    from eventbench.leaderboard.site import write_site
    from eventbench.leaderboard.view import all_boards

    boards = all_boards(home.places(board=board).board)
    page = write_site(boards, Path(out).expanduser().absolute())
    boards = [view for view in boards if not view.empty]
    if markdown:
        Path(markdown).write_text(markdown_page(boards), encoding="utf-8")
    rows = sum(len(view.rows) for view in boards)
    broken = [item.id for view in boards for item in view.broken]
    if as_json:
        _options.print_json({"page": str(page), "tasks": len(boards), "rows": rows, "broken": broken})
    else:
        click.echo(f"{page}: ranked rows: {rows}, tasks with records: {len(boards)}")
        for name in broken:
            click.echo(f"broken: {name}; eventbench verify records gives the reason", err=True)
    if broken:
        sys.exit(1)
