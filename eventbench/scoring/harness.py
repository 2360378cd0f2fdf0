"""The harness: a submission scored on a task's test split, once, and the record of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import torch
from torch import nn

from eventbench import __version__, digest, registry
from eventbench.layers import backends_used
from eventbench.loading.task_data import Bench
from eventbench.metrics.accuracy import predicted
from eventbench.metrics.base import Figure, Metric, measure
from eventbench.scoring.contract import check, ready_model
from eventbench.scoring.environment import environment, package_digest
from eventbench.specs.record import SCHEMA, Harness, Pinned, Record, Run, Score
from eventbench.store.key import content_digest
from eventbench.submission.folder import Handed
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
    bench: Bench, handed: Handed, progress: Callable[[str], Any] = lambda weights: None
) -> tuple[Record, list]:
    """Score every run of a submission on the test split: the record, and the rows of its predictions.

    Each sample is scored exactly once, unaugmented and in order of id. A metric that fails fails the run.
    """
    keep_heap()
    check(bench, handed)
    test, metrics = bench.split("test"), bench.task.spec.metrics
    runs, answers = [], []
    backends: set[str] = set()
    for seed, weights in zip(handed.seeds, handed.spec.weights, strict=True):
        progress(weights)
        model, found = ready_model(bench, handed, weights), _Answers()
        members: dict[str, Metric] = {name: registry.metrics.get(name)() for name in metrics}
        figures = measure(model, test.batches(BATCH), members | {"answers": found}, bench.device)
        scores = {name: _score(figure, members[name.partition(".")[0]]) for name, figure in figures.items()}
        runs.append(Run(seed=seed, weights=digest.of_file(handed.folder / weights), scores=scores))
        answers.append(found.classes)
        backends |= set(backends_used(model).values())
    labels = test.labels.tolist()
    rows = [(id, labels[i], *(run[i] for run in answers)) for i, id in enumerate(test.ids)]
    record = Record(
        schema=SCHEMA,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        harness=Harness(name="eventbench", version=__version__, code=package_digest()),
        task=Pinned(id=bench.task.id, digest=bench.task.spec.digest),
        dataset=Pinned(id=bench.card.id, digest=bench.card.spec.digest),
        pipeline=Pinned(id=bench.pipeline.id, digest=bench.pipeline.spec.digest),
        store=content_digest(bench.store.made_from),
        model=handed.spec.model,
        code=handed.code(),
        samples=len(rows),
        classes=bench.classes,
        runs=runs,
        predictions="",
        training=handed.spec.training,
        environment=environment(bench.device)
        | ({"lif_backends": ", ".join(sorted(backends))} if backends else {}),
        about=handed.spec.about,
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
