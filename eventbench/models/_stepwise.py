"""The two forms of the published networks: scores at each step, and a chain of features and head.

Every network built on these gives scores at each step, `scores_per_step` (T, N, K), and its scores are their mean over T:
losses that look at each step (TET, per-step cross-entropy) and those of the rate take the same network.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import nn

from eventbench.models._refusals import require_values
from eventbench.models.base import Model


class StepwiseModel(Model):
    """A model whose scores are the mean over T of its scores at each step."""

    @abstractmethod
    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (T, N, K) of frames (T, N, C, H, W)."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (N, K) of frames (T, N, C, H, W): the mean over T."""
        return self.scores_per_step(frames).mean(0)


class Chain(StepwiseModel):
    """`features`, then `head`: the form of every network without branches."""

    features: nn.Sequential
    head: nn.Sequential

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """As in `StepwiseModel`."""
        maps = self.features(frames)
        require_values(maps, self.head, frames)
        scores: torch.Tensor = self.head(maps)
        return scores
