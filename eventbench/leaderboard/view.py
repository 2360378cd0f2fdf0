"""The ranked view of a task: the records of a board folder, read, checked and ranked."""

from __future__ import annotations

from pathlib import Path

from eventbench.errors import NotComparable
from eventbench.leaderboard.check import check_evidence, different_kind
from eventbench.leaderboard.comparable import RESUBMIT_OR_WITHDRAW, reasons_apart
from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.ranking import board
from eventbench.leaderboard.records import Broken, read_records
from eventbench.leaderboard.rows import Board
from eventbench.specs import catalog
from eventbench.specs.catalog import Named
from eventbench.specs.record import Record
from eventbench.specs.task import Task
from eventbench.task_kinds.base import task_kind_named


def task_board(board_dir: Path, name: str) -> Board:
    """The ranked view of the task `name` of a board folder; what it ranks by is recomputed from the evidence.

    A record with problems is in `broken` with the reason, one made by other rules in `apart`; neither is ranked.
    Raises UnknownName for an unknown task.
    """
    task_file = catalog.task(name, board_dir)
    task = task_file.spec
    kind = task_kind_named(task.kind, where=task_file.path.name)
    sound, broken = _read(board_dir, task_file)
    return board(
        task_file.id,
        sound,
        kind,
        rank_by=task.ranked_by,
        title=task.about.title,
        digest=task.digest,
        broken=sorted(broken, key=lambda item: item.id),
    )


def refuse_apart(board_dir: Path, name: str, record: Record) -> None:
    """Raises NotComparable, with every reason, where a record that is not written yet would stand apart on its board."""
    task_file = catalog.task(name, board_dir)
    if reasons := reasons_apart(record, _read(board_dir, task_file)[0], task_file.spec.digest):
        raise NotComparable(
            f"the record would stand apart from the others of its board: {'; '.join(reasons)}; nothing is written",
            where=task_file.id,
            fix=RESUBMIT_OR_WITHDRAW,
        )


def _read(board_dir: Path, task_file: Named[Task]) -> tuple[list[Entry], list[Broken]]:
    """The records of a task that can be ranked, and those that cannot, with the reasons."""
    records = read_records(board_dir, task_file.id)
    sound, broken = [], list(records.broken)
    for entry in records.entries:
        problems = [] if entry.withdrawn else check_evidence(entry) or _unrankable(entry, task_file.spec)
        if problems:
            broken.append(Broken(entry.id, "; ".join(problems)))
        else:
            sound.append(entry)
    return sound, broken


def _unrankable(entry: Entry, task: Task) -> list[str]:
    """Reasons why this task cannot rank a sound record: another kind of task, runs without the figure it ranks by."""
    if entry.record.kind != task.kind:
        return [different_kind(entry.record.kind, task.kind)]
    return [
        f"the run of seed {run.seed} has no {task.ranked_by}, which this task ranks by"
        for run in entry.record.runs
        if task.ranked_by not in run.scores
    ]


def all_boards(board_dir: Path) -> list[Board]:
    """The view of every task, in order of id; that of a task without records is empty."""
    return [task_board(board_dir, name) for name in catalog.files("tasks", board_dir)]
