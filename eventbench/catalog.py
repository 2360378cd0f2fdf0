"""Cards, pipelines and tasks, found by id among the shipped files or by the path of a file of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from eventbench import home
from eventbench.errors import UnknownName
from eventbench.specs.base import load
from eventbench.specs.card import Card
from eventbench.specs.pipeline import Pipeline
from eventbench.specs.task import Task

S = TypeVar("S", Card, Pipeline, Task)


class Named(NamedTuple, Generic[S]):
    """A data file: its id (the file's stem), where it is, and what it says."""

    id: str
    path: Path
    spec: S


def _files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def _find(kind: str, folder: Path, name: str, spec: type[S]) -> Named[S]:
    if name.endswith(".toml"):
        path = Path(name)
        return Named(path.stem, path, load(path, spec))
    files = _files(folder)
    if name not in files:
        raise UnknownName(kind, name, files)
    return Named(name, files[name], load(files[name], spec))


def card(name: str) -> Named[Card]:
    """The card of a dataset: `nmnist`, or the path of a TOML file."""
    return _find("dataset", home.shipped("datasets"), name, Card)


def pipeline(name: str) -> Named[Pipeline]:
    """A preprocessing recipe: `frames_t16-v1`, or the path of a TOML file."""
    return _find("pipeline", home.shipped("pipelines"), name, Pipeline)


def task(name: str) -> Named[Task]:
    """The rules of a board: `nmnist_small-v1`, or the path of a TOML file."""
    return _find("task", home.shipped("leaderboard") / "tasks", name, Task)


def names(kind: str) -> list[str]:
    """Ids of the shipped "datasets", "pipelines" or "tasks"."""
    folder = home.shipped("leaderboard") / "tasks" if kind == "tasks" else home.shipped(kind)
    return list(_files(folder))
