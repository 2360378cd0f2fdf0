"""The encoder block of Spikformer: spiking self-attention and a spiking perceptron.

Source: Zhou et al., "Spikformer: when spiking neural network meets transformer", ICLR 2023, arXiv 2209.15425; released
code `ZK-Zhou/spikformer`, `cifar10dvs/model.py`. There is no softmax: queries, keys and values are spikes, and
(Q Kᵀ) V = Q (Kᵀ V), so the cheaper order is computed.
"""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers import LIF
from eventbench.models._config import Neuron


class TokenStage(nn.Module):
    """Linear map of tokens, batch norm, LIF: (T, N, C, L) -> spikes (T, N, C', L)."""

    def __init__(self, inputs: int, outputs: int, neuron: Neuron, bias: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, 1, bias=bias)
        self.norm = nn.BatchNorm1d(outputs)
        self.lif = LIF(**neuron)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        currents = torch.unflatten(self.norm(self.conv(x.flatten(0, 1))), 0, x.shape[:2])
        spikes: torch.Tensor = self.lif(currents)
        return spikes


class SpikingAttention(nn.Module):
    """(Q Kᵀ) V for each head and step: queries, keys and values stacked (3, T, N, C, L) -> (T, N, C, L)."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, qkv: torch.Tensor) -> torch.Tensor:
        q, k, v = self._by_head(qkv)
        if q.shape[4] > q.shape[3]:
            return ((v @ k.mT) @ q).flatten(2, 3)
        return (v @ (k.mT @ q)).flatten(2, 3)

    def _by_head(self, qkv: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Queries, keys and values, each (T, N, heads, C / heads, L)."""
        return torch.unflatten(qkv, 3, (self.heads, -1)).unbind(0)

    def count_synaptic_operations(self, qkv: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Accumulates, multiply-accumulates and dense operations, each (N,).

        Queries, keys and values are spikes, so every product is a sum of counts: all operations are accumulates.
        """
        T, C, L = qkv.shape[1], qkv.shape[3], qkv.shape[4]
        q, k, v = self._by_head(qkv)
        if q.shape[4] > q.shape[3]:
            first_acs = (v.sum(3) * k.sum(3)).sum((0, 2, 3))
            first_product = v @ k.mT
            second_acs = ((first_product != 0).to(q.dtype).sum(3) * q.sum(4)).sum((0, 2, 3))
        else:
            first_acs = (k.sum(4) * q.sum(4)).sum((0, 2, 3))
            first_product = k.mT @ q
            second_acs = ((first_product != 0).to(q.dtype).sum(4) * v.sum(3)).sum((0, 2, 3))
        acs = (first_acs + second_acs).to(torch.int64)
        inner_length = min(C // self.heads, L)
        dense = torch.full_like(acs, 2 * T * C * L * inner_length)
        return acs, torch.zeros_like(acs), dense


class EncoderBlock(nn.Module):
    """Attention and perceptron, each added to its input: (T, N, C, L) -> the same shape. The sums of spikes are counts."""

    def __init__(self, channels: int, heads: int, ratio: int, scale: float, neuron: Neuron) -> None:
        super().__init__()
        if heads < 1 or channels % heads:
            raise BadSpec(
                f"heads is {heads}", where="model config", allowed=f"a divisor of {channels}, the channels"
            )
        self.scale = scale
        self.queries = TokenStage(channels, channels, neuron)
        self.keys = TokenStage(channels, channels, neuron)
        self.values = TokenStage(channels, channels, neuron)
        self.attend = SpikingAttention(heads)
        self.lif = LIF(**{**neuron, "threshold": 0.5})
        self.project = TokenStage(channels, channels, neuron, bias=True)
        self.perceptron = nn.Sequential(
            TokenStage(channels, channels * ratio, neuron, bias=True),
            TokenStage(channels * ratio, channels, neuron, bias=True),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        qkv = torch.stack([self.queries(x), self.keys(x), self.values(x)])
        attended: torch.Tensor = x + self.project(self.lif(self.scale * self.attend(qkv)))
        tokens: torch.Tensor = attended + self.perceptron(attended)
        return tokens
