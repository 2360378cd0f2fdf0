"""Heads of the published networks: linear layers and neurons, with dropout."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers import LIF
from eventbench.models._config import Neuron


class SharedDropout(nn.Module):
    """Dropout with one mask for all steps: (T, N, ...) -> the same shape."""

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise BadSpec(f"dropout is {p!r}", where="model config", allowed="0 to below 1")
        self.p = p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0:
            return x
        return x * nn.functional.dropout(torch.ones_like(x[0]), self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def readout(
    features: int,
    widths: Sequence[int],
    neuron: Neuron,
    *,
    dropout: float = 0.0,
    shared_mask: bool = True,
    bias: bool = False,
    spiking: bool = True,
) -> list[nn.Module]:
    """Layers from maps (T, N, C, H, W), of `features` values each, to (T, N, last width).

    For each width: a dropout, a linear layer and LIF. `spiking=False` leaves out the last LIF; `shared_mask` uses one
    dropout mask for all steps.
    """
    layers: list[nn.Module] = [nn.Flatten(2)]
    for number, width in enumerate(widths):
        if dropout:
            layers.append((SharedDropout if shared_mask else nn.Dropout)(dropout))
        layers.append(nn.Linear(features, width, bias=bias))
        if spiking or number < len(widths) - 1:
            layers.append(LIF(**neuron))
        features = width
    return layers
