"""The ranked view of a task: the records of a board folder, read, checked and ranked."""

from __future__ import annotations

from pathlib import Path

from eventbench.leaderboard.check import check_evidence, different_kind
from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.ranking import board
from eventbench.leaderboard.records import Broken, read_records
from eventbench.leaderboard.rows import Board
from eventbench.specs import catalog
from eventbench.specs.task import Task
from eventbench.task_kinds.base import task_kind_named


def task_board(board_dir: Path, name: str) -> Board:
    """The ranked view of the task `name` of a board folder; what it ranks by is recomputed from the evidence.

    A record with problems is in `broken` with the reason, and is not ranked.
    Raises UnknownName for an unknown task, NotComparable when its records cannot be in one table.
    """
    task_file = catalog.task(name, board_dir)
    task = task_file.spec
    kind = task_kind_named(task.kind, where=task_file.path.name)
    records = read_records(board_dir, task_file.id)
    sound, broken = [], list(records.broken)
    for entry in records.entries:
        problems = [] if entry.withdrawn else check_evidence(entry) or _unrankable(entry, task)
        if problems:
            broken.append(Broken(entry.id, "; ".join(problems)))
        else:
            sound.append(entry)
    return board(
        task_file.id,
        sound,
        kind,
        rank_by=task.ranked_by,
        title=task.about.title,
        digest=task.digest,
        broken=sorted(broken, key=lambda item: item.id),
    )


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
