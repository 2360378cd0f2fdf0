"""Base classes of the published networks: `StepwiseModel` with scores at each step, `Chain` of features and head.

Such a network has scores at each step, `scores_per_step` (T, N, K); its scores are their mean over T. So it can be
trained with losses per step (TET, per-step cross-entropy) and with losses of the mean.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import nn

from eventbench.models._checks import require_values
from eventbench.models.base import Model


class StepwiseModel(Model):
    """A model whose scores are the mean over T of the scores at each step."""

    @abstractmethod
    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (T, N, K) of frames (T, N, C, H, W)."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (N, K) of frames (T, N, C, H, W): the mean over T."""
        return self.scores_per_step(frames).mean(0)


class Chain(StepwiseModel):
    """`features`, then `head`: a network without branches."""

    features: nn.Sequential
    head: nn.Sequential

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """Implements `StepwiseModel.scores_per_step`."""
        maps = self.features(frames)
        require_values(maps, self.head, frames)
        scores: torch.Tensor = self.head(maps)
        return scores
