"""The harness: a submission scored on a task's test split, once, and the record of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import torch

from eventbench import __version__, registry
from eventbench.layers import backends_used
from eventbench.loading.loader import Loader
from eventbench.loading.task_data import TaskData
from eventbench.metrics.base import AnswerMetric, Figure, Metric, measure
from eventbench.scoring.contract import CheckedRun, checked_runs
from eventbench.scoring.environment import environment, package_digest
from eventbench.specs.record import SCHEMA, Harness, Pinned, Record, Run, Score
from eventbench.submission.folder import SubmissionFolder
from eventbench.task_kinds.base import DEFAULT, Answer, TaskKind, named
from eventbench.training.heap import keep_heap

BATCH = 50  # figures do not depend on it


class _Evidence(AnswerMetric):
    """What the kind of task keeps of each sample, in the order of the batches; no figure of its own."""

    def __init__(self, kind: TaskKind) -> None:
        self._kind = kind
        self._batches: list[torch.Tensor] = []

    def update(self, answer: Answer, labels: torch.Tensor) -> None:  # noqa: ARG002  # evidence is of answers
        self._batches.append(self._kind.kept(answer))

    def value(self) -> dict[str, Figure]:
        return {}

    def kept(self) -> list[Any]:
        return list(torch.cat(self._batches).tolist())


class _Scored(NamedTuple):
    """One run, what is kept of its answers, and the backends its layers were computed by."""

    run: Run
    kept: list[Any]
    backends: set[str]


def score(
    task_data: TaskData, submission: SubmissionFolder, progress: Callable[[str], Any] = lambda _weights: None
) -> tuple[Record, list[tuple[Any, ...]]]:
    """Score every run of a submission on the test split: the record, and the rows of its evidence.

    progress: called with the name of each weights file before its run is checked and scored.

    Each sample is scored exactly once, unaugmented and in order of id, by the model that was held to the contract. A
    metric that fails fails the run. Raises BadSubmission where a model breaks the contract, and what a metric raises.
    """
    keep_heap()
    kind, test = named(task_data.task.spec.kind), task_data.split("test")
    scored = []
    runs = checked_runs(task_data, submission)
    for weights in submission.spec.weights:
        progress(weights)
        scored.append(_score_run(task_data, next(runs), kind, test))
    labels = test.labels.tolist()
    rows = [(id, labels[i], *(run.kept[i] for run in scored)) for i, id in enumerate(test.ids)]
    return _record(task_data, submission, scored, len(rows)), rows


def _score_run(task_data: TaskData, checked: CheckedRun, kind: TaskKind, test: Loader) -> _Scored:
    members: dict[str, Metric] = {name: registry.metrics.get(name)() for name in task_data.task.spec.metrics}
    evidence = _Evidence(kind)
    figures = measure(checked.model, test.batches(BATCH), members | {"": evidence}, task_data.device)
    scores = {name: _score(figure, members[name.partition(".")[0]]) for name, figure in figures.items()}
    run = Run(seed=checked.seed, weights=checked.weights, scores=scores)
    return _Scored(run, evidence.kept(), set(backends_used(checked.model).values()))


def _record(task_data: TaskData, submission: SubmissionFolder, scored: list[_Scored], samples: int) -> Record:
    backends = sorted(set().union(*(run.backends for run in scored)))
    return Record(
        schema=SCHEMA,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        harness=Harness(name="eventbench", version=__version__, code=package_digest()),
        task=Pinned(id=task_data.task.id, digest=task_data.task.spec.digest),
        dataset=Pinned(id=task_data.card.id, digest=task_data.card.spec.digest),
        pipeline=Pinned(id=task_data.pipeline.id, digest=task_data.pipeline.spec.digest),
        store=task_data.store_digest,
        model=submission.spec.model,
        code=submission.code.digest,
        samples=samples,
        classes=task_data.classes,
        runs=[run.run for run in scored],
        predictions="",
        training=submission.spec.training,
        environment=environment(task_data.device)
        | ({"lif_backends": ", ".join(backends)} if backends else {}),
        # A record of the kind that is meant where none is named names none: as records were before there were kinds.
        kind=DEFAULT if task_data.task.spec.kind == DEFAULT else task_data.task.spec.kind,
        about=submission.spec.about,
    )


def _score(figure: Figure, metric: Metric) -> Score:
    return Score(
        value=float(figure.value),
        unit=figure.unit,
        better=figure.better,
        version=type(metric).version,
        low=figure.low,
        high=figure.high,
    )
