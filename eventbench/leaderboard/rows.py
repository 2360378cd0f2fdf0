"""The parts of a board: figures over runs, rows of models, and the view of a whole task."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from eventbench.leaderboard.comparable import Apart
from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.records import Broken
from eventbench.specs.record import Score, Status
from eventbench.task_kinds.base import TaskKind

if TYPE_CHECKING:
    import numpy as np


UNKNOWN_DEVICE = "an unknown device"


@dataclass(frozen=True)
class RunFigure:
    """One metric of a row over its runs.

    `std` is the sample standard deviation over runs, None with one run. `low` and `high` are the ends of the interval
    that the kind of task has for the figure (for the accuracy of a classification the 95 % Wilson interval). For figures
    without one they are the lowest and the highest run, None with one run.
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
    """A run of a row: `entry` is its record, `index` its number among the record's runs."""

    seed: int
    weights: str
    scores: dict[str, Score]
    entry: Entry
    index: int


@dataclass(frozen=True)
class Tested:
    """A row against the first: `p` after Holm, and whether they are not told apart. None where that is not tested.

    `why_not` says why, "" for the first row itself.
    """

    tied: bool | None = None
    p: float | None = None
    why_not: str = ""


@dataclass
class Row:
    """One line of the board. `rank` is None for a row that is shown but not ranked, for the reason `why_unranked`.

    `title` is what its latest record calls it, else the model's name; `trained` has the settings in which its recipe differs
    from those of other rows of that title and configuration, and what else tells it from a row that would be called the same:
    the model's name, or the beginning of the digest of its files; `not_counted` the
    metrics that cannot be computed for it, and why. What the board says of
    a row and the first one are two answers: `procedure` of how they are trained, `checkpoints` of the weights as they are.
    """

    model: str
    config: dict[str, Any]
    status: Status
    metrics: dict[str, RunFigure]
    runs: list[PooledRun]
    entries: list[Entry]
    title: str = ""
    rank: int | None = None
    procedure: Tested = Tested()
    checkpoints: Tested = Tested()
    why_unranked: str = ""
    trained: dict[str, Any] = field(default_factory=dict)
    not_counted: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The title, with the `settings` where there are any."""
        return f"{self.title or self.model} ({self.settings})" if self.settings else self.title or self.model

    @property
    def settings(self) -> str:
        """Its configuration and the settings in `trained`, as `rank=4, epochs=30`."""
        return settings_text({**self.config, **self.trained}, "=")

    @property
    def device(self) -> str:
        """What its runs were timed on, such as "AMD EPYC, 2 threads"; "several devices" where its records differ."""
        devices = {_device_of(entry) for entry in {run.entry.id: run.entry for run in self.runs}.values()}
        return devices.pop() if len(devices) == 1 else "several devices"

    @property
    def records(self) -> list[str]:
        """Ids of the records, oldest first."""
        return [entry.id for entry in self.entries]

    @property
    def marks(self) -> np.ndarray:
        """How well each run answered each sample, (runs, samples), by the measure of the kind of task."""
        import numpy as np

        return np.stack([run.entry.predictions.marks[run.index] for run in self.runs])

    def as_json(self) -> dict[str, Any]:
        """The row of `compare TASK --json`: each metric under its own name."""
        ranking: dict[str, Any] = {
            "rank": self.rank,
            "title": self.title or self.model,
            "model": self.model,
            "config": self.config,
            "status": self.status,
            "tied_with_first": self.procedure.tied,
            "p_first": self.procedure.p,
            "checkpoints_tied_with_first": self.checkpoints.tied,
            "checkpoints_p_first": self.checkpoints.p,
        }
        if self.not_counted:
            ranking["not_counted"] = self.not_counted
        if self.procedure.why_not:
            ranking["why_not_tested"] = self.procedure.why_not
        if self.why_unranked:
            ranking["why_unranked"] = self.why_unranked
        about = msgspec.to_builtins(self.entries[-1].record.about)
        figures = {name: vars(figure) for name, figure in self.metrics.items()}
        return {**figures, **ranking, "about": about, "records": self.records}


def _device_of(entry: Entry) -> str:
    facts = entry.record.environment
    name = facts.get("gpu") or facts.get("processor") or facts.get("device") or UNKNOWN_DEVICE
    return name if "gpu" in facts or "threads" not in facts else f"{name}, {facts['threads']} threads"


def settings_text(settings: Mapping[str, Any], equals: str) -> str:
    """Settings in order of name, separated by commas; values that are not text are written as JSON."""
    return ", ".join(
        f"{key}{equals}{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in sorted(settings.items())
    )


@dataclass
class Board:
    """The ranked view of one task. `rows` have ranks; `unranked` rows, records that stand `apart`, `withdrawn` and `broken`
    ones do not.
    """

    task: str
    kind: TaskKind
    rank_by: str
    title: str = ""
    samples: int = 0
    rows: list[Row] = field(default_factory=list)
    unranked: list[Row] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)
    withdrawn: list[Entry] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """True when the task has no record at all, ranked or not."""
        return not (self.rows or self.unranked or self.apart or self.withdrawn or self.broken)

    @property
    def device(self) -> str:
        """The device of most rows, on which its latencies and memories compare; "" without rows, or where they do not say."""
        devices = [row.device for row in [*self.rows, *self.unranked]]
        most = max(devices, key=devices.count) if devices else ""
        return "" if most == UNKNOWN_DEVICE else most

    @property
    def tested(self) -> bool:
        """Whether rows below the first were tested against it."""
        return any(row.checkpoints.p is not None for row in self.rows)

    @property
    def metrics(self) -> list[str]:
        """Every metric that a row has: `rank_by` first, the others in the order of the records."""
        names = dict.fromkeys(name for row in [*self.rows, *self.unranked] for name in row.metrics)
        counted = {name.partition(".")[0] for name in names}
        # A metric that no row could be counted for has a column all the same, which says so.
        for row in [*self.rows, *self.unranked]:
            names |= dict.fromkeys(name for name in row.not_counted if name not in counted)
        return sorted(names, key=lambda name: name != self.rank_by)

    @property
    def units(self) -> dict[str, str]:
        """The unit of each metric, the same in all rows: records that differ in it are refused."""
        rows = [*self.rows, *self.unranked]
        units = {name: figure.unit for row in rows for name, figure in row.metrics.items()}
        return {name: units.get(name, "") for name in self.metrics}

    def as_json(self) -> dict[str, Any]:
        """What `compare TASK --json` prints."""
        return {
            "task": self.task,
            "rank_by": self.rank_by,
            "samples": self.samples,
            "rows": [row.as_json() for row in self.rows],
            "unranked": [row.as_json() for row in self.unranked],
            "apart": [item_apart.as_json() for item_apart in self.apart],
            "withdrawn": [{"record": entry.id, "reason": entry.withdrawn} for entry in self.withdrawn],
            "broken": [{"record": item.id, "reason": item.reason} for item in self.broken],
        }
