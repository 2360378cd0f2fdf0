"""Base of the metrics: each gives one figure, or a few that belong together, gathered while the harness scores a run.

There are two kinds. An `AnswerMetric` works from answers and labels and never sees the model; a `ModelMetric` watches the
model while it runs, or runs it again afterwards, and never sees a label.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import nn

from eventbench.errors import EventbenchError, NotCounted
from eventbench.metrics._counters.undeclared import product_dtypes
from eventbench.models.protocols import ScoresPerStep
from eventbench.task_kinds.base import Answer

__all__ = [
    "PROBE_SAMPLES",
    "AnswerMetric",
    "Figure",
    "Measured",
    "Metric",
    "ModelMetric",
    "measure",
    "product_dtypes",
]

PROBE_SAMPLES = 20
"""How many test samples, the first ones, `ModelMetric.probe` is given (fewer where the split has fewer)."""


class Figure(NamedTuple):
    """A value in `unit`, whether a higher or a lower one is better, and its 95 % interval where there is one."""

    value: float
    unit: str = ""
    better: Literal["higher", "lower", "neither"] = "neither"
    low: float | None = None
    high: float | None = None


class Metric(ABC):
    """A figure of one run. A metric that cannot be computed for a model raises NotCounted, or says `give_up`, with the reason;
    it never returns a made-up value. Any other error is a fault, and fails the run.

    Members derive from AnswerMetric or ModelMetric; `measure` calls them. `version` goes up whenever the same run would
    get another figure.
    """

    version: ClassVar[int] = 1
    _why_not: str = ""

    def give_up(self, reason: str) -> None:
        """Say, in the middle of a run, why the figure cannot be computed; the first reason stays."""
        self._why_not = self._why_not or reason

    @property
    def why_not(self) -> str:
        """Why it has been given up; "" where it has not."""
        return self._why_not

    @abstractmethod
    def value(self) -> dict[str, Figure]:
        """The figures. The key "" is the metric's own name; another key `k` is shown as `<metric>.k`.

        An empty dict means that the figure does not exist for this kind of model.
        """


class AnswerMetric(Metric):
    """A figure of answers and labels: `start` once, `update` for every test batch, then `value`.

    A metric with `needs_steps` is given answers with the scores of each step, `per_step`, where the model offers them.
    """

    needs_steps: ClassVar[bool] = False

    def start(self, device: torch.device) -> None:  # a metric may have nothing to set up
        """Before the first batch, whose tensors will be on `device`."""

    @abstractmethod
    def update(self, answer: Answer, labels: torch.Tensor) -> None:
        """After a batch: the answer of its N samples and their labels (N,), on the device."""


class ModelMetric(Metric):
    """A figure of the running model: `start` once, `update` after each test batch, `close` always, `probe`, `value`.

    Hooks exist only between `start` and `close`, so no other metric sees the forwards that a metric runs itself in
    `probe` (to time them, for instance), whatever the order of the metrics.
    """

    def start(self, model: nn.Module, device: torch.device) -> None:  # not every metric has hooks
        """Before the first batch; hooks may be placed on the model here."""

    def update(self, frames: torch.Tensor) -> None:  # some metrics only probe
        """After the forward of a batch: its frames (T, N, C, H, W), on the device."""

    def close(self) -> None:
        """After the last batch, also after a failed one; hooks are removed here. May be called twice."""

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        """After every metric's `close`: frames (T, S, C, H, W) of the first S = `PROBE_SAMPLES` test samples.

        A metric may run the model here; it removes the hooks it places before it returns or raises.
        """


class Measured(NamedTuple):
    """The figures of a run by full name, and metric name -> why its figures could not be computed."""

    figures: dict[str, Figure]
    not_counted: dict[str, str]


def measure(
    model: nn.Module,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    metrics: Mapping[str, Metric],
    device: torch.device,
) -> Measured:
    """Every figure of `metrics` for `model` over `batches` of frames (T, N, C, H, W) and labels (N,) on `device`.

    Puts the model into eval mode and computes no gradients. Where a metric needs scores of each step and the model offers
    `scores_per_step`, they are asked for after the ModelMetrics have seen the forward, since these count one forward per
    batch. A metric that cannot be computed for this model is in `not_counted`, with the reason. Raises what else a metric
    raises, and EventbenchError for a figure that is not a finite number. All hooks are removed when it returns or raises.
    """
    model.eval()
    answer_metrics = [metric for metric in metrics.values() if isinstance(metric, AnswerMetric)]
    model_metrics = [metric for metric in metrics.values() if isinstance(metric, ModelMetric)]
    with torch.no_grad():
        for answer_metric in answer_metrics:
            answer_metric.start(device)
        try:
            probe_frames = _run(model, batches, answer_metrics, model_metrics, device)
        finally:
            for model_metric in model_metrics:
                model_metric.close()
        for model_metric in model_metrics:
            if not model_metric.why_not:
                model_metric.probe(model, probe_frames)
    return _measured(metrics)


def _run(
    model: nn.Module,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    answer_metrics: Sequence[AnswerMetric],
    model_metrics: Sequence[ModelMetric],
    device: torch.device,
) -> torch.Tensor:
    """Run one forward for each batch and update every metric; returns the frames of the first `PROBE_SAMPLES` samples."""
    stepwise: ScoresPerStep | None = None
    if any(metric.needs_steps for metric in answer_metrics) and isinstance(model, ScoresPerStep):
        stepwise = model
    for model_metric in model_metrics:
        model_metric.start(model, device)
    probe_frames: list[torch.Tensor] = []
    missing = PROBE_SAMPLES
    for frames, labels in batches:
        if missing:
            probe_frames.append(frames[:, :missing].clone())
            missing -= probe_frames[-1].shape[1]
        answer = Answer(model(frames))
        for model_metric in model_metrics:
            model_metric.update(frames)
        if stepwise is not None:
            answer = answer._replace(per_step=stepwise.scores_per_step(frames))
        for answer_metric in answer_metrics:
            answer_metric.update(answer, labels)
    if not probe_frames:
        raise EventbenchError("there is no sample to score", where="test split", allowed="1 or more")
    return torch.cat(probe_frames, 1)


def _measured(metrics: Mapping[str, Metric]) -> Measured:
    """The figures by full name, each a finite number, and why others could not be computed."""
    figures, not_counted = {}, {}
    for name, metric in metrics.items():
        try:
            if metric.why_not:
                raise NotCounted(metric.why_not)
            values = metric.value()
        except NotCounted as reason:
            not_counted[name] = reason.unlocated
            continue
        for key, figure in values.items():
            full_name = f"{name}.{key}" if key else name
            if not math.isfinite(figure.value):
                raise EventbenchError(
                    f"the figure is {figure.value}", where=full_name, allowed="a finite number"
                )
            figures[full_name] = figure
    return Measured(figures, not_counted)
