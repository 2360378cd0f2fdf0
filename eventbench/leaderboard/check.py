"""Does a record hold together? Everything that does not, as a list of sentences."""

from __future__ import annotations

from pathlib import Path

from eventbench import home
from eventbench.errors import BadRecord, BadSpec
from eventbench.leaderboard.entry import Entry, evidence_endings, place_of
from eventbench.leaderboard.records import read_records
from eventbench.specs import catalog
from eventbench.specs.base import Spec, load
from eventbench.specs.card import Card
from eventbench.specs.pipeline import Pipeline
from eventbench.specs.record import SCHEMA, Pinned, Run
from eventbench.specs.task import Task
from eventbench.task_kinds.base import Recomputed

TOLERANCE = 1e-12


def replay(entry: Entry) -> list[float]:
    """What each run is ranked by, from its stored predictions alone. Raises BadRecord when they are not whole."""
    evidence, kind = entry.predictions, entry.kind
    return [kind.recomputed(evidence, run)[kind.main_figure].value for run in range(len(evidence.seeds))]


def check_record(entry: Entry, board: Path) -> list[str]:
    """Everything broken about a record: in itself, and against the files it was made from. Empty when nothing is."""
    return check_evidence(entry) + check_specs(entry, board)


def check_records(board: Path, task: str | None = None) -> dict[str, list[str]]:
    """`check_record` of every record of the board, by id; unreadable files and stray predictions are in it too."""
    records = read_records(board, task)
    broken = {entry.id: check_record(entry, board) for entry in records.entries}
    for item in records.broken:
        broken.setdefault(item.id, []).append(item.reason)
    for path in _without_record(board, task):
        name = "/".join([*path.parts[-3:-1], path.name])
        broken[name] = ["predictions without a record: left by a submission that was cut off; delete them"]
    return broken


def _without_record(board: Path, task: str | None) -> list[Path]:
    """Evidence of any kind of task beside which there is no record."""
    return [
        path
        for ending in evidence_endings()
        for path in sorted((board / "records").glob(f"{task or '*'}/*/*{ending}"))
        if not path.with_name(f"{path.name.removesuffix(ending)}.json").exists()
    ]


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
    evidence, misfits = entry.evidence
    broken += misfits
    if evidence is None or len(evidence.seeds) != len(record.runs) or len(evidence.ids) != record.samples:
        return broken
    for number, run in enumerate(record.runs):
        if entry.kind.main_figure not in run.scores:
            broken.append(f"the run of seed {run.seed} has no {entry.kind.main_figure}")
            continue
        for name, recomputed in entry.kind.recomputed(evidence, number).items():
            broken += _contradictions(run, name, recomputed)
    return broken


def _contradictions(run: Run, name: str, recomputed: Recomputed) -> list[str]:
    """A stored figure and its interval against those the predictions give; a figure that is not stored claims nothing."""
    score = run.scores.get(name)
    if score is None:
        return []
    pairs = [
        (name, score.value, recomputed.value),
        (f"{name}.low", score.low, recomputed.low),
        (f"{name}.high", score.high, recomputed.high),
    ]
    return [
        f"the run of seed {run.seed} says {part} {stored!r}, its predictions say {again!r}"
        for part, stored, again in pairs
        if stored is not None and again is not None and not abs(stored - again) <= TOLERANCE
    ]


def check_specs(entry: Entry, board: Path) -> list[str]:
    """Whether the task, card and pipeline the record names are there, and still say what they said."""
    record, rules = entry.record, _file("tasks", entry.record.task.id, board)
    return [
        *_pinned("task", record.task, rules, Task),
        *_other_kind(record.kind, rules),
        *_pinned("dataset", record.dataset, _file("datasets", record.dataset.id), Card),
        *_pinned("pipeline", record.pipeline, _file("pipelines", record.pipeline.id), Pipeline),
    ]


def _other_kind(kind: str, path: Path) -> list[str]:
    """A record of another kind than its task's; a task that cannot be read is reported by `_pinned`."""
    try:
        now = load(path, Task).kind
    except BadSpec:
        return []
    return [] if now == kind else [f"its kind is {kind}, its task's is {now}"]


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
