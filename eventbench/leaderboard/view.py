"""From a board's folder to its ranked view."""

from __future__ import annotations

from pathlib import Path

from eventbench.leaderboard.check import check_evidence
from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.ranking import board
from eventbench.leaderboard.records import Broken, read_records
from eventbench.leaderboard.rows import Board
from eventbench.specs import catalog
from eventbench.specs.task import Task
from eventbench.task_kinds.base import named


def task_board(place: Path, name: str) -> Board:
    """The ranked view of the task `name` of the board folder `place`, what it ranks by recomputed on the way.

    A record that does not hold together is in `broken` with the reason, and is not ranked.
    Raises UnknownName when there is no such task, NotComparable when its records cannot stand in one table.
    """
    rules = catalog.task(name, place)
    task = rules.spec
    kind = named(task.kind, where=rules.path.name)
    records = read_records(place, rules.id)
    sound, broken = [], list(records.broken)
    for entry in records.entries:
        problems = [] if entry.withdrawn else check_evidence(entry) or _unrankable(entry, task)
        if problems:
            broken.append(Broken(entry.id, "; ".join(problems)))
        else:
            sound.append(entry)
    return board(
        rules.id,
        sound,
        kind,
        rank_by=task.ranked_by,
        title=task.about.title,
        digest=task.digest,
        broken=sorted(broken, key=lambda item: item.id),
    )


def _unrankable(entry: Entry, task: Task) -> list[str]:
    """What keeps a sound record off this task's board: another kind of task, runs without the figure it ranks by."""
    if entry.record.kind != task.kind:
        return [f"its kind is {entry.record.kind}, its task's is {task.kind}"]
    return [
        f"the run of seed {run.seed} has no {task.ranked_by}, which this task ranks by"
        for run in entry.record.runs
        if task.ranked_by not in run.scores
    ]


def all_boards(place: Path) -> list[Board]:
    """The view of every task, in order of id; a task without records has an empty one."""
    return [task_board(place, name) for name in catalog.files("tasks", place)]
