"""Checks of a record: its evidence, its figures recomputed, the files it names. Problems are a list of sentences."""

from __future__ import annotations

from pathlib import Path

from eventbench import home
from eventbench.errors import BadRecord, BadSpec
from eventbench.leaderboard.comparable import together
from eventbench.leaderboard.entry import Entry, evidence_endings, relative_path
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
    """The main figure of each run, recomputed from its stored predictions. Raises BadRecord when they are broken."""
    evidence, kind = entry.predictions, entry.kind
    return [kind.recomputed(evidence, run)[kind.main_figure].value for run in range(len(evidence.seeds))]


def check_record(entry: Entry, board: Path) -> list[str]:
    """Every problem of a record, in itself and against the files it was made from; empty when there is none."""
    return check_evidence(entry) + check_specs(entry, board)


def check_records(board: Path, task: str | None = None) -> dict[str, list[str]]:
    """`check_record` of every record of the board, by id, including unreadable files and predictions without a record."""
    records = read_records(board, task)
    broken = {entry.id: check_record(entry, board) for entry in records.entries}
    _add_apart([entry for entry in records.entries if not (entry.withdrawn or check_evidence(entry))], broken)
    for item in records.broken:
        broken.setdefault(item.id, []).append(item.reason)
    for path in _evidence_without_record(board, task):
        name = "/".join([*path.parts[-3:-1], path.name])
        broken[name] = ["predictions without a record: left by an interrupted submission; delete them"]
    return broken


def _add_apart(sound: list[Entry], broken: dict[str, list[str]]) -> None:
    """Add why a record that is sound in itself cannot be in the table of its task."""
    for task in sorted({entry.record.task.id for entry in sound}):
        for apart in together(entry for entry in sound if entry.record.task.id == task).apart:
            broken[apart.entry.id] += [f"it stands apart on its board: {reason}" for reason in apart.reasons]


def _evidence_without_record(board: Path, task: str | None) -> list[Path]:
    """Evidence files, of any kind of task, that have no record beside them."""
    return [
        path
        for ending in evidence_endings()
        for path in sorted((board / "records").glob(f"{task or '*'}/*/*{ending}"))
        if not path.with_name(f"{path.name.removesuffix(ending)}.json").exists()
    ]


def check_evidence(entry: Entry) -> list[str]:
    """Problems of the record itself: its name, its predictions, the figures recomputed from them."""
    record = entry.record
    broken = []
    if record.schema != SCHEMA:
        broken.append(f"schema is {record.schema}, this version reads {SCHEMA}")
    try:
        expected_path = relative_path(record)
        if entry.path.parts[-3:] != expected_path.parts:
            broken.append(
                f"its content belongs at {expected_path.as_posix()}: it was edited, renamed or moved"
            )
    except BadRecord as error:
        broken.append(str(error))
    if not record.runs or record.samples < 1:
        return [
            *broken,
            f"{len(record.runs)} runs on {record.samples} samples: there must be at least one of each",
        ]
    evidence, problems = entry.evidence
    broken += problems
    if evidence is None or len(evidence.seeds) != len(record.runs) or len(evidence.ids) != record.samples:
        return broken
    for index, run in enumerate(record.runs):
        if entry.kind.main_figure not in run.scores:
            broken.append(f"the run of seed {run.seed} has no {entry.kind.main_figure}")
            continue
        for name, recomputed in entry.kind.recomputed(evidence, index).items():
            broken += _contradictions(run, name, recomputed)
    return broken


def _contradictions(run: Run, name: str, recomputed: Recomputed) -> list[str]:
    """Differences between a stored figure with its interval and the recomputed ones; none where no figure is stored."""
    score = run.scores.get(name)
    if score is None:
        return []
    pairs = [
        (name, score.value, recomputed.value),
        (f"{name}.low", score.low, recomputed.low),
        (f"{name}.high", score.high, recomputed.high),
    ]
    return [
        f"the run of seed {run.seed} has {part} {stored!r}, its predictions give {from_predictions!r}"
        for part, stored, from_predictions in pairs
        if stored is not None
        and from_predictions is not None
        and not abs(stored - from_predictions) <= TOLERANCE
    ]


def check_specs(entry: Entry, board: Path) -> list[str]:
    """Problems of the task, card and pipeline that the record names: files that are missing or have changed."""
    record, task_path = entry.record, _spec_path("tasks", entry.record.task.id, board)
    return [
        *_check_pinned("task", record.task, task_path, Task),
        *_check_kind(record.kind, task_path),
        *_check_pinned("dataset", record.dataset, _spec_path("datasets", record.dataset.id), Card),
        *_check_pinned("pipeline", record.pipeline, _spec_path("pipelines", record.pipeline.id), Pipeline),
    ]


def _check_kind(kind: str, task_path: Path) -> list[str]:
    """A sentence where the task is of another kind; a task that cannot be read is reported by `_check_pinned`."""
    try:
        kind_of_task = load(task_path, Task).kind
    except BadSpec:
        return []
    return [] if kind_of_task == kind else [different_kind(kind, kind_of_task)]


def different_kind(kind: str, kind_of_task: str) -> str:
    """The sentence about a record of another kind than its task."""
    return f"its kind is {kind}, its task's is {kind_of_task}"


def _spec_path(kind: str, name: str, board: Path | None = None) -> Path:
    """The path of a data file, or where it would be if it existed."""
    folder = board / kind if board else home.shipped(kind)
    return catalog.files(kind, board).get(name, folder / f"{name}.toml")


def _check_pinned(kind: str, pinned: Pinned, path: Path, spec: type[Spec]) -> list[str]:
    """A sentence where the file is missing, unreadable, or has another digest than the one pinned in the record."""
    if not path.is_file():
        return [f"the {kind} {pinned.id!r} has no file {path}"]
    try:
        digest_now = load(path, spec).digest
    except BadSpec as error:
        return [f"the {kind} {pinned.id!r} cannot be read: {error}"]
    if digest_now == pinned.digest:
        return []
    return [
        f"the {kind} {pinned.id!r} has changed since: digest {digest_now[:8]} now, "
        f"{pinned.digest[:8]} when it was scored"
    ]
