"""What a metric is: one figure, or a few that belong together, gathered while the harness scores a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import nn


class Figure(NamedTuple):
    """A value in `unit`, whether a higher or a lower one is better, and its 95 % interval where there is one."""

    value: float
    unit: str = ""
    better: Literal["higher", "lower", "neither"] = "neither"
    low: float | None = None
    high: float | None = None


class Metric(ABC):
    """A figure of one run. A metric that cannot be computed raises; it never returns a stand-in.

    The harness calls `start` once, `update` after every test batch, `value` at the end and `close` always.
    `version` goes up whenever the same run would get another figure.
    """

    version: ClassVar[int] = 1

    def start(self, model: nn.Module, device: torch.device) -> None:
        """Before the first batch; hooks may be placed on the model here."""

    @abstractmethod
    def update(self, frames: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor) -> None:
        """After a batch: frames (T, N, C, H, W), scores (N, K), labels (N,), all on the device."""

    @abstractmethod
    def value(self) -> dict[str, Figure]:
        """The figures. The key "" is the metric's own name; another key `k` is shown as `<metric>.k`."""

    def close(self) -> None:
        """After the run, also after a failed one; hooks are taken off here."""
