"""The tasks of a board: the shipped ones, and the user's own beside his records."""

from __future__ import annotations

from pathlib import Path

from eventbench import home
from eventbench.errors import UnknownName
from eventbench.specs.base import load
from eventbench.specs.task import Task


def task_files(place: Path) -> dict[str, Path]:
    """Task id -> file. A file of the board folder `place` comes before a shipped one of the same id."""
    folders = [home.shipped("leaderboard") / "tasks", place / "tasks"]
    files = {path.stem: path for folder in folders for path in folder.glob("*.toml")}
    return dict(sorted(files.items()))


def task_path(place: Path, name: str) -> Path:
    """Where the task's file is, or where it would be."""
    return task_files(place).get(name, place / "tasks" / f"{name}.toml")


def load_task(place: Path, name: str) -> Task:
    """The rules of a task. Raises UnknownName, with the tasks there are, or BadSpec."""
    files = task_files(place)
    if name not in files:
        raise UnknownName("task", name, files, where=place / "tasks")
    return load(files[name], Task)
