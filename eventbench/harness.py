"""The harness: a submission scored on a task's test split, once, and the record of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import torch
from torch import nn

from eventbench import __version__, catalog, digest, registry
from eventbench.allocator import keep_heap
from eventbench.catalog import Named
from eventbench.environment import environment, package_digest
from eventbench.errors import BadSubmission, EventbenchError
from eventbench.home import Places
from eventbench.layers import backends_used
from eventbench.metrics.accuracy import predicted
from eventbench.metrics.base import Figure, Metric, measure
from eventbench.preprocess import events_store, frames_store
from eventbench.resident import SampleSplit
from eventbench.specs.record import SCHEMA, Harness, Pinned, Record, Run, Score
from eventbench.specs.task import Task
from eventbench.splits import task_splits
from eventbench.store.key import content_digest, key_of, path_of
from eventbench.store.read import FrameStore
from eventbench.streamed import held
from eventbench.submission import Handed, called

BATCH = 50  # figures do not depend on it
SAME = 1e-3  # how far scores of one sample may part between batches, relative to the largest score


def device_named(name: str | None) -> torch.device:
    """The device asked for, or CUDA where there is one, else the CPU. Raises EventbenchError where it is not there."""
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        told = str(error).partition("\n")[0]
        raise EventbenchError(
            f"device {name!r} cannot be used: {told}", allowed="cpu, or cuda where there is one"
        ) from None
    return device


class Bench:
    """A task made ready: its three splits on the device, and what models must be made for.

    The store is made first where it is not there yet. Attributes: task, store, splits, device,
    sensor (width, height), time_steps, classes (how many).
    """

    def __init__(self, task: Named[Task], places: Places, device: torch.device, *, workers: int = 1) -> None:
        self.task, self.device = task, device
        self.card, self.pipeline = catalog.card(task.spec.dataset), catalog.pipeline(task.spec.pipeline)
        path = path_of(places.cache, self.card, self.pipeline)
        if not path.exists():
            events_store(self.card, places.data, places.cache, workers=workers, progress=True)
            frames_store(self.card, self.pipeline, places.cache, workers=workers, progress=True)
        self.store = FrameStore(path).made_by(key_of(self.card, self.pipeline))
        self._rows = task_splits(task, self.store)
        self.time_steps, _, height, width = self.store.shape
        self.sensor, self.classes = (width, height), len(self.store.classes)
        self._splits: dict[str, SampleSplit] = {}
        keep_heap()

    def split(self, name: str) -> SampleSplit:
        """The "train", "validation" or "test" samples, kept on the device where they fit, else streamed to it."""
        if name not in self._splits:
            self._splits[name] = held(self.store, getattr(self._rows, name), self.device)
        return self._splits[name]


class _Answers(Metric):
    """The class predicted for each sample, in the order of the batches; no figure of its own."""

    def start(self, model: nn.Module, device: torch.device) -> None:
        self._found: list[torch.Tensor] = []

    def update(self, frames: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor) -> None:
        self._found.append(predicted(scores))

    def value(self) -> dict[str, Figure]:
        self.classes = torch.cat(self._found).tolist()
        return {}


class _Held(nn.Module):
    """The submitted model, each call of it held to the contract."""

    def __init__(self, model: nn.Module, classes: int, name: str) -> None:
        super().__init__()
        self.model, self._classes, self._name = model, classes, name

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return called(self.model, frames, self._classes, self._name)


def check(bench: Bench, handed: Handed) -> None:
    """Hold every run of a submission to the contract on a few test samples, and write nothing.

    Raises BadSubmission where a model cannot be made or filled, raises, returns another shape or values that are not
    finite, answers otherwise when asked twice, or answers for one sample depending on its neighbours in the batch.
    """
    test = bench.split("test")
    frames, _ = next(test.batches(16))
    half = frames.shape[1] // 2
    strangers = frames.clone()
    strangers[:, half:] = frames[
        :, :1
    ]  # as many as before, so the first half is computed alike to the last bit
    for weights in handed.spec.weights:
        model = _ready(bench, handed, weights)
        with torch.no_grad():
            once, twice = model(frames), model(frames)
            turned = model(frames.flip(1)).flip(0)
            accompanied = model(strangers)[:half]
        near = SAME * float(once.abs().max())
        for other, how in (
            (twice, "when asked twice"),
            (accompanied, "when the others in the batch are others"),
            (turned, "when the batch is in another order"),
        ):
            before = once[: len(other)]
            apart = (other - before).abs().amax(1) > near
            if other is turned:  # another place in the batch may round otherwise, which can move a spike
                apart &= predicted(other) != predicted(before)
            if apart.any():
                raise BadSubmission(
                    f"{int(apart.sum())} of {len(apart)} samples are answered otherwise {how}",
                    where=f"{handed.spec.model.name} with {weights}",
                    fix="state must start fresh at each call, and no sample may look at another",
                )


def score(
    bench: Bench, handed: Handed, progress: Callable[[str], Any] = lambda weights: None
) -> tuple[Record, list]:
    """Score every run of a submission on the test split: the record, and the rows of its predictions.

    Each sample is scored exactly once, unaugmented and in order of id. A metric that fails fails the run.
    """
    check(bench, handed)
    test, metrics = bench.split("test"), bench.task.spec.metrics
    runs, answers = [], []
    backends: set[str] = set()
    for seed, weights in zip(handed.seeds, handed.spec.weights, strict=True):
        progress(weights)
        model, found = _ready(bench, handed, weights), _Answers()
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


def _ready(bench: Bench, handed: Handed, weights: str) -> nn.Module:
    model = handed.model(bench.sensor, bench.time_steps, bench.classes)
    handed.fill(model, weights)
    return _Held(model, bench.classes, handed.spec.model.name).to(bench.device).eval()


def _score(figure: Figure, metric: Metric) -> Score:
    return Score(
        value=float(figure.value),
        unit=figure.unit,
        better=figure.better,
        version=type(metric).version,
        low=figure.low,
        high=figure.high,
    )
