"""From a board's folder to its ranked view."""

from __future__ import annotations

from pathlib import Path

from eventbench.leaderboard.check import check_evidence
from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.ranking import board
from eventbench.leaderboard.records import Broken, read_records
from eventbench.leaderboard.rows import Board
from eventbench.specs import catalog


def task_board(place: Path, name: str) -> Board:
    """The ranked view of the task `name` of the board folder `place`, each accuracy recomputed on the way.

    A record that does not hold together is in `broken` with the reason, and is not ranked.
    Raises UnknownName when there is no such task, NotComparable when its records cannot stand in one table.
    """
    named = catalog.task(name, place)
    task = named.spec
    found = read_records(place, named.id)
    sound, broken = [], list(found.broken)
    for entry in found.entries:
        problems = [] if entry.withdrawn else check_evidence(entry) or _unrankable(entry, task.rank_by)
        if problems:
            broken.append(Broken(entry.id, "; ".join(problems)))
        else:
            sound.append(entry)
    return board(
        named.id,
        sound,
        rank_by=task.rank_by,
        title=task.about.title,
        digest=task.digest,
        broken=sorted(broken, key=lambda item: item.id),
    )


def _unrankable(entry: Entry, rank_by: str) -> list[str]:
    return [
        f"the run of seed {run.seed} has no {rank_by}, which this task ranks by"
        for run in entry.record.runs
        if rank_by not in run.scores
    ]


def all_boards(place: Path) -> list[Board]:
    """The view of every task, in order of id; a task without records has an empty one."""
    return [task_board(place, name) for name in catalog.files("tasks", place)]
