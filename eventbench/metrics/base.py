"""What a metric is: one figure, or a few that belong together, gathered while the harness scores a run."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import nn

from eventbench.errors import EventbenchError

PROBE_SAMPLES = 20
"""How many test samples, the first ones, `Metric.probe` is given (fewer where the split has fewer)."""


class Figure(NamedTuple):
    """A value in `unit`, whether a higher or a lower one is better, and its 95 % interval where there is one."""

    value: float
    unit: str = ""
    better: Literal["higher", "lower", "neither"] = "neither"
    low: float | None = None
    high: float | None = None


class Metric(ABC):
    """A figure of one run. A metric that cannot be computed raises; it never returns a stand-in.

    `measure` is the one order of calls: `start` once, `update` after every test batch, `close` always, then
    `probe` once and `value`. Hooks live between `start` and `close`, so the forwards that a metric runs for
    itself in `probe` (to time them, say) are seen by no other metric, in whatever order metrics are listed.
    `version` goes up whenever the same run would get another figure.
    """

    version: ClassVar[int] = 1

    def start(self, model: nn.Module, device: torch.device) -> None:  # noqa: B027
        """Before the first batch; hooks may be placed on the model here."""

    @abstractmethod
    def update(self, frames: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor) -> None:
        """After a batch: frames (T, N, C, H, W), scores (N, K), labels (N,), all on the device."""

    def close(self) -> None:  # noqa: B027
        """After the last batch, also after a failed one; hooks are taken off here. May be called twice."""

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:  # noqa: B027
        """After every metric's `close`: frames (T, S, C, H, W) of the first S = `PROBE_SAMPLES` test samples.

        A metric may run the model here; a hook it places must be off again when it returns or raises.
        """

    @abstractmethod
    def value(self) -> dict[str, Figure]:
        """The figures. The key "" is the metric's own name; another key `k` is shown as `<metric>.k`.

        An empty dict says that the figure does not exist for this kind of model.
        """


def measure(
    model: nn.Module,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    metrics: Mapping[str, Metric],
    device: torch.device,
) -> dict[str, Figure]:
    """Every figure of `metrics` for `model` over `batches` of frames (T, N, C, H, W) and labels (N,) on `device`.

    Puts the model into eval mode and computes no gradients. Raises what a metric raises, and EventbenchError
    for a figure that is not a finite number. Hooks are off the model when it returns or raises.
    """
    model.eval()
    first: list[torch.Tensor] = []
    wanted = PROBE_SAMPLES
    with torch.no_grad():
        try:
            for metric in metrics.values():
                metric.start(model, device)
            for frames, labels in batches:
                if wanted:
                    first.append(frames[:, :wanted].clone())
                    wanted -= first[-1].shape[1]
                scores = model(frames)
                for metric in metrics.values():
                    metric.update(frames, scores, labels)
        finally:
            for metric in metrics.values():
                metric.close()
        if not first:
            raise EventbenchError("there is no sample to score", where="test split", allowed="1 or more")
        samples = torch.cat(first, 1)
        for metric in metrics.values():
            metric.probe(model, samples)
    figures = {}
    for name, metric in metrics.items():
        for key, figure in metric.value().items():
            full = f"{name}.{key}" if key else name
            if not math.isfinite(figure.value):
                raise EventbenchError(f"the figure is {figure.value}", where=full, allowed="a finite number")
            figures[full] = figure
    return figures
