"""The harness: a submission scored on a task's test split, once, and the record of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import torch

from eventbench import __version__, registry
from eventbench.files.progress import Progress, no_progress
from eventbench.layers import backends_used
from eventbench.loading.loader import Loader
from eventbench.loading.task_data import TaskData
from eventbench.metrics.base import AnswerMetric, Figure, Metric, measure, product_dtypes
from eventbench.scoring.checked_runs import CheckedRun, checked_runs
from eventbench.scoring.environment import environment, package_digest
from eventbench.specs.record import SCHEMA, Harness, Pinned, Record, Run, Score
from eventbench.submission.contract import refuse_missing
from eventbench.submission.folder import SubmissionFolder
from eventbench.task_kinds.base import DEFAULT_KIND, Answer, TaskKind, task_kind_named
from eventbench.training.heap import keep_heap

BATCH = 50  # samples; no figure depends on it


class _Evidence(AnswerMetric):
    """The evidence of each sample, in the order of the batches. It is gathered like a metric but gives no figure."""

    def __init__(self, kind: TaskKind) -> None:
        self._kind = kind
        self._batches: list[torch.Tensor] = []

    def update(self, answer: Answer, labels: torch.Tensor) -> None:  # noqa: ARG002  # evidence is of answers
        self._batches.append(self._kind.evidence_rows(answer))

    def value(self) -> dict[str, Figure]:
        return {}

    def rows(self) -> list[Any]:
        return list(torch.cat(self._batches).tolist())


class _Scored(NamedTuple):
    """A scored run, the evidence of each sample, the backends that computed its layers, and the types of its products."""

    run: Run
    evidence: list[Any]
    backends: set[str]
    dtypes: set[torch.dtype]


def score(
    task_data: TaskData, submission: SubmissionFolder, progress: Progress = no_progress
) -> tuple[Record, list[tuple[Any, ...]]]:
    """Score every run of a submission on the test split: the record, and the rows of its evidence.

    Each sample is scored exactly once, unaugmented and in order of id, by the model that was checked. A metric that fails
    fails the run. Raises BadSubmission where a model breaks the contract, and what a metric raises.
    """
    keep_heap()
    kind, test = task_kind_named(task_data.task.spec.kind), task_data.split("test")
    runs = progress(
        checked_runs(task_data, submission), of="scoring", unit="run", total=len(submission.seeds)
    )
    scored = [_score_run(task_data, run, kind, test) for run in runs]
    labels = test.labels.tolist()
    rows = [(id, labels[i], *(run.evidence[i] for run in scored)) for i, id in enumerate(test.ids)]
    return _record(task_data, submission, scored, len(rows)), rows


def unscored_record(task_data: TaskData, submission: SubmissionFolder) -> Record:
    """The record of a submission before it is scored: everything but its runs, with 0 for the number of samples.

    Raises BadSubmission where the folder has another pipeline than the task.
    """
    submission.refuse_other_pipeline(task_data.pipeline)
    return _record(task_data, submission, [], 0)


def _score_run(task_data: TaskData, checked: CheckedRun, kind: TaskKind, test: Loader) -> _Scored:
    members: dict[str, Metric] = {name: registry.metrics.get(name)() for name in task_data.task.spec.metrics}
    evidence = _Evidence(kind)
    measured = measure(checked.model, test.batches(BATCH), members | {"": evidence}, task_data.device)
    refuse_missing(measured, task_data.task.spec, checked.model.name)
    scores = {
        name: _score(figure, members[name.partition(".")[0]]) for name, figure in measured.figures.items()
    }
    run = Run(seed=checked.seed, weights=checked.weights, scores=scores, not_counted=measured.not_counted)
    backends = set(backends_used(checked.model).values())
    sample, _ = next(test.batches(1))
    return _Scored(run, evidence.rows(), backends, product_dtypes(checked.model, sample))


def _record(task_data: TaskData, submission: SubmissionFolder, scored: list[_Scored], samples: int) -> Record:
    backends = sorted(set().union(*(run.backends for run in scored)))
    kind = task_data.task.spec.kind
    return Record(
        schema=SCHEMA,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        harness=Harness(name="eventbench", version=__version__, code=package_digest()),
        task=Pinned(id=task_data.task.id, digest=task_data.task.spec.digest),
        dataset=Pinned(id=task_data.card.id, digest=task_data.card.spec.digest),
        pipeline=Pinned(id=task_data.pipeline.id, digest=task_data.pipeline.spec.digest),
        store=task_data.store_digest,
        raw_digest=task_data.raw_digest
        or "",  # the same object as the default, which msgspec then leaves out
        model=submission.spec.model,
        code=submission.code.digest,
        files=submission.files,
        samples=samples,
        classes=task_data.classes,
        runs=[run.run for run in scored],
        predictions="",
        training=submission.spec.training,
        environment=environment(task_data.device, set().union(*(run.dtypes for run in scored)))
        | ({"lif_backends": ", ".join(backends)} if backends else {}),
        # msgspec leaves out a default by identity, so an equal string read from a file would be written, and change the digest.
        kind=DEFAULT_KIND if kind == DEFAULT_KIND else kind,
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
