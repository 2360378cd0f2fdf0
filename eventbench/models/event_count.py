"""No network: the class whose mean picture of time-summed counts is nearest. Tells how easy a task is."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from eventbench.models.base import Model


class EventCount(Model):
    """Nearest class mean. Frames are summed over time, and each sample's counts divided by their total.

    Scores are minus the squared Euclidean distance to each class's mean, so time order cannot matter: what this
    model gets on a task can be had without looking at when anything happened.
    """

    def __init__(self, sensor: tuple[int, int], time_steps: int, classes: int) -> None:
        super().__init__()
        width, height = sensor
        self.means: torch.Tensor
        self.register_buffer("means", torch.zeros(classes, 2 * height * width))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        # The norm of the sample itself is the same for every class and is left out.
        pictures = self._pictures(frames)
        return 2 * pictures @ self.means.T - self.means.square().sum(1)

    @torch.no_grad()
    def fit_once(self, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Take the class means over (frames (T, N, C, H, W), labels (N,)) batches; there is nothing to iterate."""
        sums = torch.zeros_like(self.means, dtype=torch.float64)
        counts = torch.zeros(len(sums), dtype=torch.float64, device=sums.device)
        for frames, labels in batches:
            sums.index_add_(0, labels, self._pictures(frames).double())
            counts += torch.bincount(labels, minlength=len(sums))
        self.means.copy_(sums / counts.clamp(min=1)[:, None])

    def count_synaptic_operations(
        self, frames: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Per sample (N,): effective ACs, effective MACs, dense operations of the product with the class means."""
        pictures = self._pictures(frames)
        macs = (pictures != 0).double() @ (self.means != 0).double().sum(0)
        return torch.zeros_like(macs), macs, torch.full_like(macs, self.means.numel())

    @staticmethod
    def _pictures(frames: torch.Tensor) -> torch.Tensor:
        summed = frames.sum(0).flatten(1)
        return summed / summed.sum(1, keepdim=True).clamp(min=1)
