"""Cards, pipelines and tasks, by the id of a shipped file or by the path of any file."""

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
    """A data file: its id (the file's stem), its path and its content."""

    id: str
    path: Path
    spec: S


def argument(card: Named[Card]) -> str:
    """What names a card on a command line: its id where it is a shipped one, else its path."""
    return card.id if files("datasets").get(card.id) == card.path else str(card.path)


def files(kind: str, board: Path | None = None) -> dict[str, Path]:
    """The files of all "datasets", "pipelines" or "tasks" by id, sorted.

    Tasks in the board folder `board` are added to the shipped ones and take precedence.
    """
    if kind == "tasks":
        folders = [home.shipped("leaderboard") / "tasks", *([board / "tasks"] if board else [])]
    else:
        folders = [home.shipped(kind)]
    by_id = {path.stem: path for folder in folders for path in folder.glob("*.toml")}
    return dict(sorted(by_id.items()))


def _find(
    kind: str, name: str, spec: type[S], board: Path | None = None, beside: Path | None = None
) -> Named[S]:
    if name.endswith(".toml"):
        path = Path(name)
        if beside and (beside.parent / name).is_file():
            path = beside.parent / name
        return Named(path.stem, path, load(path, spec))
    known = files(kind, board)
    if name not in known:
        raise UnknownName(kind.removesuffix("s"), name, known, where=board / kind if board else "")
    return Named(name, known[name], load(known[name], spec))


def card(name: str, beside: Path | None = None) -> Named[Card]:
    """The card of a dataset: `nmnist`, or the path of a TOML file, looked for first in the folder of the file `beside`."""
    return _find("datasets", name, Card, beside=beside)


def pipeline(name: str, beside: Path | None = None) -> Named[Pipeline]:
    """A preprocessing recipe: `frames_t16-v1`, or the path of a TOML file, as with `card`."""
    return _find("pipelines", name, Pipeline, beside=beside)


def task(name: str, board: Path | None = None) -> Named[Task]:
    """The rules of a board: `nmnist_small-v1`, or the path of a TOML file."""
    return _find("tasks", name, Task, board)
