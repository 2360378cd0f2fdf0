"""eventbench compare: the board of a task, or two records side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from eventbench import home
from eventbench.cli import _options
from eventbench.errors import EventbenchError


@click.command(name="compare", short_help="The board of a task, or two records side by side.")
@click.argument("names", nargs=-1, metavar="TASK | RECORD RECORD")
@_options.board_dir
@_options.as_json
def command(names: tuple[str, ...], board: str | None, as_json: bool) -> None:
    """Show the ranked board of TASK, or compare two RECORDs: what they were made from, then paired statistics.

    A record is named by its path, its id as `eventbench ls records` shows it, or any start or end of the id that no
    other record has. Exit status 1: a record of the task is broken; it is listed with the reason, and not ranked.
    """
    place = home.places(board=board).board
    if len(names) == 1:
        _show_board(place, names[0], as_json)
    elif len(names) == 2:
        _show_pair(place, *names, as_json)
    else:
        raise EventbenchError(
            f"compare was given {len(names)} names",
            allowed="one task, or two records",
            fix="eventbench ls tasks and eventbench ls records list them",
        )


def _show_board(place: Path, task: str, as_json: bool) -> None:
    from eventbench.leaderboard.table import board_text
    from eventbench.leaderboard.view import task_board

    view = task_board(place, task)
    if view.empty:
        raise EventbenchError(
            "no record yet",
            where=place / "records" / task,
            fix=f"make one with eventbench submit DIR --task {task}",
        )
    if as_json:
        _options.print_json(view.as_json())
    else:
        click.echo(board_text(view, _options.table_width()))
    if view.broken:
        sys.exit(1)


def _show_pair(place: Path, one: str, two: str, as_json: bool) -> None:
    from eventbench.leaderboard.compare import compare
    from eventbench.leaderboard.records import find_record
    from eventbench.leaderboard.table import comparison_text

    found = compare(find_record(place, one), find_record(place, two))
    if as_json:
        _options.print_json(found)
    else:
        click.echo(comparison_text(found, _options.table_width()))
