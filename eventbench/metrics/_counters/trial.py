"""Frames of two samples, to find by trial what belongs to which sample."""

from __future__ import annotations

import torch
from torch import nn


def pair(model: nn.Module, frames: torch.Tensor, changed: int) -> torch.Tensor:
    """Two samples (T, 2, C, H, W): the first of `frames`, and one that is another with each number `changed`.

    The second is noise, so that layers get something to work on everywhere. A model that looks its input up in a table is given
    what its table has room for: the fullest other sample, turned around for `changed` 1.
    """
    first = frames[:, :1]
    if any(isinstance(module, nn.Embedding | nn.EmbeddingBag) for module in model.modules()):
        fullest = int((frames[:, 1:] != 0).sum((0, 2, 3, 4)).argmax()) + 1 if frames.shape[1] > 1 else 0
        other = frames[:, fullest : fullest + 1]
        return torch.cat([first, other.flip(0, 3, 4) if changed else other], 1)
    generator = torch.Generator().manual_seed(changed)
    noise = torch.randint(0, 4, first.shape, generator=generator).to(first)
    return torch.cat([first, noise], 1)
