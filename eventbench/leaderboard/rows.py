"""What a board is made of: figures over runs, rows of models, and the whole view of a task."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.records import Broken
from eventbench.specs.record import Score, Status
from eventbench.task_kinds.base import TaskKind

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class RunFigure:
    """One metric of a row over its runs.

    `std` is the sample standard deviation over runs, None with one run. Of a figure whose interval the kind of task
    knows (of a classification the accuracy: the 95 % Wilson interval), `low` and `high` are the ends of that. Of any
    other they are the lowest and the highest run, None with one run.
    """

    mean: float
    std: float | None
    low: float | None
    high: float | None
    seeds: int
    unit: str
    better: str


@dataclass(frozen=True)
class PooledRun:
    """A run of a row, and the record it counts from."""

    seed: int
    weights: str
    scores: dict[str, Score]
    entry: Entry
    index: int


@dataclass
class Row:
    """One line of the board. `rank` is None where a row is shown and not ranked, `why_unranked` says why."""

    model: str
    config: dict[str, Any]
    status: Status
    metrics: dict[str, RunFigure]
    runs: list[PooledRun]
    entries: list[Entry]
    rank: int | None = None
    tied_with_first: bool | None = None
    p_first: float | None = None
    why_unranked: str = ""
    trained: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The model's name, with its configuration where it has one, and what its recipe has other than a namesake's."""
        settings = {**self.config, **self.trained}
        shown = ", ".join(f"{key}={_short(value)}" for key, value in sorted(settings.items()))
        return f"{self.model} ({shown})" if shown else self.model

    @property
    def records(self) -> list[str]:
        """Ids of the records, oldest first."""
        return [entry.id for entry in self.entries]

    @property
    def marks(self) -> np.ndarray:
        """How well each run answered each sample, (runs, samples), as the kind of task judges it."""
        import numpy as np

        return np.stack([run.entry.predictions.marks[run.index] for run in self.runs])

    def as_json(self) -> dict[str, Any]:
        """The row of `compare TASK --json`: each metric under its own name."""
        standing: dict[str, Any] = {
            "rank": self.rank,
            "model": self.model,
            "config": self.config,
            "status": self.status,
            "tied_with_first": self.tied_with_first,
            "p_first": self.p_first,
        }
        if self.why_unranked:
            standing["why_unranked"] = self.why_unranked
        about = msgspec.to_builtins(self.entries[-1].record.about)
        figures = {name: vars(figure) for name, figure in self.metrics.items()}
        return {**figures, **standing, "about": about, "records": self.records}


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass
class Board:
    """The ranked view of one task. `rows` have ranks; `unranked` rows, `withdrawn` and `broken` records do not."""

    task: str
    kind: TaskKind
    rank_by: str
    title: str = ""
    samples: int = 0
    rows: list[Row] = field(default_factory=list)
    unranked: list[Row] = field(default_factory=list)
    withdrawn: list[Entry] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """True when there is no record at all, not even one that is not ranked."""
        return not (self.rows or self.unranked or self.withdrawn or self.broken)

    @property
    def metrics(self) -> list[str]:
        """Every metric some row has, the one that ranks first, the others in the order the records name them."""
        names = dict.fromkeys(name for row in [*self.rows, *self.unranked] for name in row.metrics)
        return sorted(names, key=lambda name: name != self.rank_by)

    @property
    def units(self) -> dict[str, str]:
        """The unit of each metric: one, since records that differ in it are refused."""
        rows = [*self.rows, *self.unranked]
        return {name: figure.unit for row in rows for name, figure in row.metrics.items()}

    def as_json(self) -> dict[str, Any]:
        """What `compare TASK --json` prints."""
        return {
            "task": self.task,
            "rank_by": self.rank_by,
            "samples": self.samples,
            "rows": [row.as_json() for row in self.rows],
            "unranked": [row.as_json() for row in self.unranked],
            "withdrawn": [{"record": entry.id, "reason": entry.withdrawn} for entry in self.withdrawn],
            "broken": [{"record": item.id, "reason": item.reason} for item in self.broken],
        }
