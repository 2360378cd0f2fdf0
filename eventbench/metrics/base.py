"""What a metric is: one figure, or a few that belong together, gathered while the harness scores a run.

There are two kinds. An `AnswerMetric` works from answers and labels alone and never meets the model; a `ModelMetric`
watches the model at work, or tries it out afterwards, and never meets a label.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import nn

from eventbench.errors import EventbenchError
from eventbench.models.protocols import ScoresPerStep
from eventbench.task_kinds.base import Answer

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
    """A figure of one run. A metric that cannot be computed raises; it never returns a stand-in.

    Members derive from AnswerMetric or ModelMetric. `measure` is the one order of calls. `version` goes up whenever the
    same run would get another figure.
    """

    version: ClassVar[int] = 1

    @abstractmethod
    def value(self) -> dict[str, Figure]:
        """The figures. The key "" is the metric's own name; another key `k` is shown as `<metric>.k`.

        An empty dict says that the figure does not exist for this kind of model.
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
    """A figure of the model at work: `start` once, `update` after each test batch, `close` always, `probe`, `value`.

    Hooks live between `start` and `close`, so the forwards that a metric runs for itself in `probe` (to time them, say)
    are seen by no other metric, in whatever order metrics are listed.
    """

    def start(self, model: nn.Module, device: torch.device) -> None:  # not every metric has hooks
        """Before the first batch; hooks may be placed on the model here."""

    def update(self, frames: torch.Tensor) -> None:  # some metrics only probe
        """After the forward of a batch: its frames (T, N, C, H, W), on the device."""

    def close(self) -> None:
        """After the last batch, also after a failed one; hooks are taken off here. May be called twice."""

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        """After every metric's `close`: frames (T, S, C, H, W) of the first S = `PROBE_SAMPLES` test samples.

        A metric may run the model here; a hook it places must be off again when it returns or raises.
        """


def measure(
    model: nn.Module,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    metrics: Mapping[str, Metric],
    device: torch.device,
) -> dict[str, Figure]:
    """Every figure of `metrics` for `model` over `batches` of frames (T, N, C, H, W) and labels (N,) on `device`.

    Puts the model into eval mode and computes no gradients. Scores of each step are asked for where a metric needs
    them and the model offers `scores_per_step`, after the ModelMetrics have seen the forward: they count one forward a
    batch. Raises what a metric raises, and EventbenchError for a figure that is not a finite number. Hooks are off the
    model when it returns or raises.
    """
    model.eval()
    of_answers = [metric for metric in metrics.values() if isinstance(metric, AnswerMetric)]
    of_model = [metric for metric in metrics.values() if isinstance(metric, ModelMetric)]
    with torch.no_grad():
        for metric in of_answers:
            metric.start(device)
        try:
            samples = _run(model, batches, of_answers, of_model, device)
        finally:
            for watching in of_model:
                watching.close()
        for watching in of_model:
            watching.probe(model, samples)
    return _figures(metrics)


def _run(
    model: nn.Module,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    of_answers: Sequence[AnswerMetric],
    of_model: Sequence[ModelMetric],
    device: torch.device,
) -> torch.Tensor:
    """One forward for each batch, every metric updated; the frames of the first `PROBE_SAMPLES` samples."""
    stepwise: ScoresPerStep | None = None
    if any(metric.needs_steps for metric in of_answers) and isinstance(model, ScoresPerStep):
        stepwise = model
    for watching in of_model:
        watching.start(model, device)
    first: list[torch.Tensor] = []
    missing = PROBE_SAMPLES
    for frames, labels in batches:
        if missing:
            first.append(frames[:, :missing].clone())
            missing -= first[-1].shape[1]
        answer = Answer(model(frames))
        for watching in of_model:
            watching.update(frames)
        if stepwise is not None:
            answer = answer._replace(per_step=stepwise.scores_per_step(frames))
        for metric in of_answers:
            metric.update(answer, labels)
    if not first:
        raise EventbenchError("there is no sample to score", where="test split", allowed="1 or more")
    return torch.cat(first, 1)


def _figures(metrics: Mapping[str, Metric]) -> dict[str, Figure]:
    """The figures by full name, each a finite number."""
    figures = {}
    for name, metric in metrics.items():
        for key, figure in metric.value().items():
            full = f"{name}.{key}" if key else name
            if not math.isfinite(figure.value):
                raise EventbenchError(f"the figure is {figure.value}", where=full, allowed="a finite number")
            figures[full] = figure
    return figures
