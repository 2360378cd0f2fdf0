"""The convolutional spiking network of `conv_snn`, `tcja_net` and `pfa_net`, which differ only in the attention module."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers import LIF, norm_lif
from eventbench.models._checks import require_input
from eventbench.models.base import Model

Gate = Callable[[int, int], nn.Module]  # (time_steps, channels) -> a module (T, N, C, H, W) -> the same shape


class PooledStage(nn.Module):
    """Conv 3x3, batch norm, LIF, max pool 2, then the gate: (T, N, C, H, W) -> (T, N, C', ceil(H/2), ceil(W/2))."""

    def __init__(self, inputs: int, outputs: int, tau: float, gate: nn.Module | None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.lif = LIF(tau=tau)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.gate = gate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        require_input(x, self.conv)
        T, N = x.shape[:2]
        # Channels last in the whole network: a training step on the CPU takes only two thirds of the time.
        images = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        pooled = norm_lif(torch.unflatten(self.conv(images), 0, (T, N)), self.norm, self.lif, self.pool)
        if self.gate is None:
            return pooled
        gated: torch.Tensor = self.gate(pooled)
        return gated


class Backbone(nn.Module):
    """Frames (T, N, C, H, W) to scores (N, K), for any sensor size, T and class count.

    One stage per entry of `channels`, then the mean over `grid` x `grid` regions, dropout (one mask for all steps,
    as in the papers), and a linear readout averaged over time. `gate` makes the module at the end of each of the last
    `gated_stages` stages; None gives the plain network.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int],
        tau: float,
        dropout: float,
        gate: Gate | None = None,
        gated_stages: int = 2,
        inputs: int = 2,
        grid: int = 4,
    ) -> None:
        super().__init__()
        if not channels or min(channels) < 1:
            raise BadSpec(
                f"channels is {list(channels)}",
                where="model config",
                allowed="a list of whole numbers above 0",
            )
        if gate is not None and not 0 <= gated_stages <= len(channels):
            raise BadSpec(
                f"gated_stages is {gated_stages}", where="model config", allowed=f"0 to {len(channels)}"
            )
        width, height = sensor
        stages = []
        for i, outputs in enumerate(channels):
            height, width = -(-height // 2), -(-width // 2)
            gated = gate is not None and i >= len(channels) - gated_stages
            stages.append(
                PooledStage(inputs, outputs, tau, gate(time_steps, outputs) if gated and gate else None)
            )
            inputs = outputs
        self.stages = nn.Sequential(*stages)
        self.regions = nn.AdaptiveAvgPool2d((min(grid, height), min(grid, width)))
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(inputs * min(grid, height) * min(grid, width), classes)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        features = self.stages(frames)
        T, N = features.shape[:2]
        flat = torch.unflatten(self.regions(features.flatten(0, 1)).flatten(1), 0, (T, N))
        scores: torch.Tensor = self.readout(flat * self.dropout(torch.ones_like(flat[0])))
        return scores.mean(0)


class BackboneModel(Model):
    """A model that consists of a backbone only."""

    network: Backbone

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (N, K) of frames (T, N, C, H, W)."""
        scores: torch.Tensor = self.network(frames)
        return scores
