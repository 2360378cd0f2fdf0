"""eventbench submit: score a submission, write its record, show the board around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from eventbench.cli import _options

if TYPE_CHECKING:
    from eventbench.loading.task_data import TaskData
    from eventbench.submission.folder import SubmissionFolder


@click.command(name="submit", short_help="Score a submission and write its record.")
@click.argument("folder", metavar="DIR")
@click.option("--task", required=True, metavar="T", help="The task to be scored on (eventbench ls tasks).")
@click.option(
    "--check", "only_check", is_flag=True, help="Only check that it keeps the contract; write no record."
)
@_options.store
@_options.device
@_options.data_dir
@_options.cache_dir
@_options.board_dir
@_options.as_json
def command(
    folder: str,
    task: str,
    only_check: bool,
    store: Literal["frames", "events"] | None,
    device: str | None,
    data_dir: str | None,
    cache_dir: str | None,
    board: str | None,
    as_json: bool,
) -> None:
    """Score the submission in DIR on the test split of a task, write its record, and show the board around it.

    Every run (one weights file each) is scored once. A model must return the same scores at each call, whatever other
    samples are in the batch; a metric that fails fails the run. --check stops before the scoring.
    What would stand apart on its board, made by other rules than the records there, is refused before it is written.
    """
    from pathlib import Path

    from eventbench import home
    from eventbench.cli._progress import bar
    from eventbench.leaderboard.table import board_text
    from eventbench.leaderboard.view import refuse_apart, task_board
    from eventbench.leaderboard.write import write_record
    from eventbench.loading.device import device_named
    from eventbench.loading.task_data import TaskData
    from eventbench.scoring.harness import score, unscored_record
    from eventbench.specs import catalog
    from eventbench.submission.folder import SubmissionFolder

    places = home.places(data_dir, cache_dir, board)
    task_file = catalog.task(task, places.board)
    submission = SubmissionFolder(Path(folder).expanduser().absolute())
    task_data = TaskData(
        task_file, places, device_named(device), workers=_options.cores(), store=store, progress=bar
    )
    _options.note(task_data.notes)
    refuse_apart(places.board, task, unscored_record(task_data, submission))  # before minutes of scoring
    if only_check:
        _check(task_data, submission, folder, as_json)
        return
    record, rows = score(task_data, submission, bar)
    refuse_apart(places.board, task, record)
    entry = write_record(places.board, record, rows)
    view = task_board(places.board, task)
    if as_json:
        _options.print_json(
            {"record": entry.id, "path": str(entry.path), "notes": task_data.notes, **view.as_json()}
        )
        return
    click.echo(board_text(view, _options.table_width()))
    click.echo(f"record: {entry.path}")


def _check(task_data: TaskData, submission: SubmissionFolder, folder: str, as_json: bool) -> None:
    from eventbench.scoring.checked_runs import check

    not_counted = check(task_data, submission)
    task, runs = task_data.task.id, len(submission.seeds)
    if as_json:
        document = {"folder": str(submission.folder), "task": task, "runs": runs, "check": "passed"}
        document |= {"not_counted": not_counted} if not_counted else {}
        _options.print_json(document | {"notes": task_data.notes})
    else:
        click.echo(f"{folder}: {runs} runs hold to the contract of {task}; nothing was scored or written")
        for metric, why in not_counted.items():
            click.echo(f"{metric} not counted: {why}")
