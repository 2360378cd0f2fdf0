"""eventbench compare: the board of a task, or two records side by side."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import click

from eventbench import home
from eventbench.errors import EventbenchError


@click.command(name="compare", short_help="The board of a task, or two records side by side.")
@click.argument("names", nargs=-1, metavar="TASK | RECORD RECORD")
@click.option("--board", metavar="DIR", help="The folder of tasks and records; else EVENTBENCH_BOARD.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
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
    click.echo(json.dumps(view.as_json(), indent=2) if as_json else board_text(view, _width()))
    if view.broken:
        sys.exit(1)


def _show_pair(place: Path, one: str, two: str, as_json: bool) -> None:
    from eventbench.leaderboard.compare import compare
    from eventbench.leaderboard.records import find_record
    from eventbench.leaderboard.table import comparison_text

    found = compare(find_record(place, one), find_record(place, two))
    click.echo(json.dumps(found, indent=2) if as_json else comparison_text(found, _width()))


def _width() -> int:
    """The terminal's width; 120 in a pipe, where nobody says."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 120
