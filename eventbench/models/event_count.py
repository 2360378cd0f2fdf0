"""A baseline without a network: the class with the nearest mean image of event counts. Shows how easy a task is."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from eventbench.models.base import Model


class EventCount(Model):
    """Nearest class mean. Frames are summed over time, and each sample's counts divided by their total.

    Scores are minus the squared Euclidean distance to each class's mean, so the order of events does not matter: the
    accuracy of this model is reachable without any timing.
    """

    def __init__(self, sensor: tuple[int, int], time_steps: int, classes: int) -> None:
        super().__init__()
        width, height = sensor
        self.means: torch.Tensor
        self.register_buffer("means", torch.zeros(classes, 2 * height * width))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (N, K): minus the squared distance to each class's mean, up to a term that all classes share."""
        # The squared norm of the sample is the same for every class and left out.
        counts = self._normalised_counts(frames)
        return 2 * counts @ self.means.T - self.means.square().sum(1)

    @torch.no_grad()
    def fit_once(self, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Set the class means from batches of (frames (T, N, C, H, W), labels (N,))."""
        sums = torch.zeros_like(self.means, dtype=torch.float64)
        counts = torch.zeros(len(sums), dtype=torch.float64, device=sums.device)
        for frames, labels in batches:
            sums.index_add_(0, labels, self._normalised_counts(frames).double())
            counts += torch.bincount(labels, minlength=len(sums))
        self.means.copy_(sums / counts.clamp(min=1)[:, None])

    def count_synaptic_operations(
        self, frames: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Accumulates, multiply-accumulates and dense operations, each (N,), of the product with the class means."""
        counts = self._normalised_counts(frames)
        macs = (counts != 0).double() @ (self.means != 0).double().sum(0)
        return torch.zeros_like(macs), macs, torch.full_like(macs, self.means.numel())

    @staticmethod
    def _normalised_counts(frames: torch.Tensor) -> torch.Tensor:
        summed = frames.sum(0).flatten(1)
        return summed / summed.sum(1, keepdim=True).clamp(min=1)
