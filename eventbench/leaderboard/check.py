"""Does a record hold together? Everything that does not, as a list of sentences."""

from __future__ import annotations

from pathlib import Path

from eventbench import home
from eventbench.errors import BadRecord, BadSpec
from eventbench.leaderboard import predictions as table
from eventbench.leaderboard.entry import Entry, place_of
from eventbench.leaderboard.records import read_records
from eventbench.specs import catalog
from eventbench.specs.base import Spec, load
from eventbench.specs.card import Card
from eventbench.specs.pipeline import Pipeline
from eventbench.specs.record import SCHEMA, Pinned, Run
from eventbench.specs.task import Task
from eventbench.statistics.wilson import wilson

TOLERANCE = 1e-12


def replay(entry: Entry) -> list[float]:
    """The accuracy of each run, from its stored predictions alone. Raises BadRecord when they are not whole."""
    return entry.predictions.accuracies()


def check_record(entry: Entry, board: Path) -> list[str]:
    """Everything broken about a record: in itself, and against the files it was made from. Empty when nothing is."""
    return check_evidence(entry) + check_specs(entry, board)


def check_records(board: Path, task: str | None = None) -> dict[str, list[str]]:
    """`check_record` of every record of the board, by id; unreadable files and stray predictions are in it too."""
    found = read_records(board, task)
    broken = {entry.id: check_record(entry, board) for entry in found.entries}
    for item in found.broken:
        broken.setdefault(item.id, []).append(item.reason)
    for path in sorted((board / "records").glob(f"{task or '*'}/*/*.predictions.csv")):
        stem = path.name.removesuffix(".predictions.csv")
        if not path.with_name(f"{stem}.json").exists():
            name = "/".join([*path.parts[-3:-1], path.name])
            broken[name] = [
                "predictions without a record: left by a submission that was cut off; delete them"
            ]
    return broken


def check_evidence(entry: Entry) -> list[str]:
    """What the record itself gives away: its name, its predictions, its accuracy recomputed from them."""
    record = entry.record
    broken = []
    if record.schema != SCHEMA:
        broken.append(f"schema is {record.schema}, this version knows {SCHEMA}")
    try:
        belongs = place_of(record)
        if entry.path.parts[-3:] != belongs.parts:
            broken.append(f"its content belongs at {belongs.as_posix()}: it was edited, renamed or moved")
    except BadRecord as error:
        broken.append(str(error))
    if not record.runs or record.samples < 1:
        return [*broken, f"{len(record.runs)} runs on {record.samples} samples: there must be one of each"]
    read, misfits = entry.evidence
    broken += misfits
    if read is not None and len(read.seeds) == len(record.runs) and len(read.ids) == record.samples:
        for run, right, predicted in zip(record.runs, read.correct, read.predicted, strict=True):
            broken += _accuracy_problems(run, int(right.sum()), predicted.count(table.TIED), record.samples)
    return broken


def _accuracy_problems(run: Run, right: int, tied: int, samples: int) -> list[str]:
    """The stored accuracy, its Wilson interval and its share of ties against those the predictions give."""
    if "accuracy" not in run.scores:
        return [f"the run of seed {run.seed} has no accuracy"]
    score = run.scores["accuracy"]
    low, high = wilson(right, samples)
    pairs = [
        ("accuracy", score.value, right / samples),
        ("accuracy.low", score.low, low),
        ("accuracy.high", score.high, high),
    ]
    if "accuracy.ties" in run.scores:
        pairs.append(("accuracy.ties", run.scores["accuracy.ties"].value, tied / samples))
    return [
        f"the run of seed {run.seed} says {name} {stored!r}, its predictions say {found!r}"
        for name, stored, found in pairs
        if stored is not None and not abs(stored - found) <= TOLERANCE
    ]


def check_specs(entry: Entry, board: Path) -> list[str]:
    """Whether the task, card and pipeline the record names are there, and still say what they said."""
    record = entry.record
    return [
        *_pinned("task", record.task, _file("tasks", record.task.id, board), Task),
        *_pinned("dataset", record.dataset, _file("datasets", record.dataset.id), Card),
        *_pinned("pipeline", record.pipeline, _file("pipelines", record.pipeline.id), Pipeline),
    ]


def _file(kind: str, name: str, board: Path | None = None) -> Path:
    """Where the data file is, or where it would be."""
    folder = board / kind if board else home.shipped(kind)
    return catalog.files(kind, board).get(name, folder / f"{name}.toml")


def _pinned(kind: str, pinned: Pinned, path: Path, spec: type[Spec]) -> list[str]:
    if not path.is_file():
        return [f"the {kind} {pinned.id!r} has no file {path}"]
    try:
        now = load(path, spec).digest
    except BadSpec as error:
        return [f"the {kind} {pinned.id!r} cannot be read: {error}"]
    if now == pinned.digest:
        return []
    return [
        f"the {kind} {pinned.id!r} has changed since: digest {now[:8]} now, {pinned.digest[:8]} when it was scored"
    ]
