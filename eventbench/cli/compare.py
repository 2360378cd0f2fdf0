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
@click.option(
    "--columns", metavar="NAME,...", help="The further columns of a board, such as parameters,latency."
)
@click.option("--all", "every_column", is_flag=True, help="Every column of a board.")
@_options.board_dir
@_options.as_json
def command(
    names: tuple[str, ...], columns: str | None, every_column: bool, board: str | None, as_json: bool
) -> None:
    """Show the ranked board of TASK, or compare two RECORDs: what they were made from, then paired statistics.

    A board shows what it ranks by and the further columns that fit 100 characters; --columns and --all show others. A
    column is a figure or a metric with all its figures. --json always has all of them.

    A record is named by its path, its id as `eventbench ls records` shows it, or any start or end of the id that no
    other record has. Exit status 1: a record of the task is broken; it is listed with the reason, and not ranked.
    """
    board_dir = home.places(board=board).board
    if len(names) == 1:
        _show_board(board_dir, names[0], _split_names(columns), every_column, as_json)
    elif columns is not None or every_column:
        raise EventbenchError(
            f"{'--all' if every_column else '--columns'} was given with {len(names)} names",
            allowed="one task: columns are those of a board",
        )
    elif len(names) == 2:
        _show_pair(board_dir, *names, as_json)
    else:
        raise EventbenchError(
            f"compare was given {len(names)} names",
            allowed="one task, or two records",
            fix="eventbench ls tasks and eventbench ls records list them",
        )


def _split_names(columns: str | None) -> list[str] | None:
    return None if columns is None else [name for part in columns.split(",") if (name := part.strip())]


def _show_board(
    board_dir: Path, task: str, columns: list[str] | None, every_column: bool, as_json: bool
) -> None:
    from eventbench.leaderboard.table import board_text, chosen_columns
    from eventbench.leaderboard.view import task_board

    view = task_board(board_dir, task)
    if view.empty:
        raise EventbenchError(
            "no record yet",
            where=board_dir / "records" / task,
            fix=f"make one with eventbench submit DIR --task {task}",
        )
    chosen_columns(view, columns or [])  # refuses an unknown column with --json too
    if as_json:
        _options.print_json(view.as_json())
    else:
        click.echo(board_text(view, _options.table_width(), view.metrics if every_column else columns))
    if view.broken:
        sys.exit(1)


def _show_pair(board_dir: Path, name_a: str, name_b: str, as_json: bool) -> None:
    from eventbench.leaderboard.compare import compare
    from eventbench.leaderboard.comparison_text import comparison_text
    from eventbench.leaderboard.records import find_record

    a, b = find_record(board_dir, name_a), find_record(board_dir, name_b)
    comparison = compare(a, b)
    if as_json:
        _options.print_json(comparison)
    else:
        click.echo(comparison_text(comparison, a.kind, _options.table_width()))
