"""What a model is: frames in, scores out, nothing remembered between calls."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import nn


class Model(nn.Module):
    """A classifier of frames, made as `Model(sensor=(width, height), time_steps=T, classes=K, **config)`.

    A model of a user's own need not derive from this class: any `nn.Module` with this constructor and this
    `forward` may be submitted.
    """

    @abstractmethod
    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (N, K) of float32 frames (T, N, C, H, W). The state of neurons starts fresh at each call."""
