"""The harness: a submission scored on a task's test split, once, and the record of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import torch
from torch import nn

from eventbench import __version__, digest, registry
from eventbench.layers import backends_used
from eventbench.loading.task_data import TaskData
from eventbench.metrics.base import Figure, Metric, measure
from eventbench.scoring.contract import check, ready_model
from eventbench.scoring.environment import environment, package_digest
from eventbench.specs.record import SCHEMA, Harness, Pinned, Record, Run, Score
from eventbench.submission.folder import SubmissionFolder
from eventbench.task_kinds.classification import predicted
from eventbench.training.heap import keep_heap

BATCH = 50  # figures do not depend on it


class _Answers(Metric):
    """The class predicted for each sample, in the order of the batches; no figure of its own."""

    def start(self, model: nn.Module, device: torch.device) -> None:
        self._found: list[torch.Tensor] = []

    def update(self, frames: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor) -> None:
        self._found.append(predicted(scores))

    def value(self) -> dict[str, Figure]:
        self.classes = torch.cat(self._found).tolist()
        return {}


def score(
    task_data: TaskData, submission: SubmissionFolder, progress: Callable[[str], Any] = lambda weights: None
) -> tuple[Record, list]:
    """Score every run of a submission on the test split: the record, and the rows of its predictions.

    Each sample is scored exactly once, unaugmented and in order of id. A metric that fails fails the run.
    """
    keep_heap()
    check(task_data, submission)
    test, metrics = task_data.split("test"), task_data.task.spec.metrics
    runs, answers = [], []
    backends: set[str] = set()
    for seed, weights in zip(submission.seeds, submission.spec.weights, strict=True):
        progress(weights)
        model, found = ready_model(task_data, submission, weights), _Answers()
        members: dict[str, Metric] = {name: registry.metrics.get(name)() for name in metrics}
        figures = measure(model, test.batches(BATCH), members | {"answers": found}, task_data.device)
        scores = {name: _score(figure, members[name.partition(".")[0]]) for name, figure in figures.items()}
        runs.append(Run(seed=seed, weights=digest.of_file(submission.folder / weights), scores=scores))
        answers.append(found.classes)
        backends |= set(backends_used(model).values())
    labels = test.labels.tolist()
    rows = [(id, labels[i], *(run[i] for run in answers)) for i, id in enumerate(test.ids)]
    record = Record(
        schema=SCHEMA,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        harness=Harness(name="eventbench", version=__version__, code=package_digest()),
        task=Pinned(id=task_data.task.id, digest=task_data.task.spec.digest),
        dataset=Pinned(id=task_data.card.id, digest=task_data.card.spec.digest),
        pipeline=Pinned(id=task_data.pipeline.id, digest=task_data.pipeline.spec.digest),
        store=task_data.store_digest,
        model=submission.spec.model,
        code=submission.code.digest,
        samples=len(rows),
        classes=task_data.classes,
        runs=runs,
        predictions="",
        training=submission.spec.training,
        environment=environment(task_data.device)
        | ({"lif_backends": ", ".join(sorted(backends))} if backends else {}),
        about=submission.spec.about,
    )
    return record, rows


def _score(figure: Figure, metric: Metric) -> Score:
    return Score(
        value=float(figure.value),
        unit=figure.unit,
        better=figure.better,
        version=type(metric).version,
        low=figure.low,
        high=figure.high,
    )
