"""`Model`, the base class of the family: frames in, scores out, no state between calls."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import nn


class Model(nn.Module):
    """A classifier of frames, made as `Model(sensor=(width, height), time_steps=T, classes=K, **config)`.

    A submitted model does not have to derive from this class: any `nn.Module` with this constructor and this
    `forward` will do.
    """

    @abstractmethod
    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (N, K) of float32 frames (T, N, C, H, W). Neurons start from their initial state at each call."""
