"""Small networks whose figures can be worked out, for the tests of metrics. Weights are whole numbers, so results are exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import nn

Layer = TypeVar("Layer", bound=nn.Module)

TINY = {"channels": [4], "dropout": 0.0}  # config of conv_snn

# A submitter's file: a network without memory that counts events.
LINEAR_NET = """
import torch
from torch import nn

class MyNet(nn.Module):
    def __init__(self, sensor, time_steps, classes, bias=True):
        super().__init__()
        self.readout = nn.Linear(2 * sensor[0] * sensor[1], classes, bias=bias)

    def forward(self, frames):
        return self.readout(frames.sum(0).flatten(1))
"""

# Before it: each run of the file leaves an "x" in a file beside it.
COUNT_RUNS = 'with open(__file__ + ".runs", "a") as runs:\n    runs.write("x")\n'


class Fire(nn.Module):
    """A spiking layer without memory: 1 where the input is above the threshold."""

    spiking = True

    def __init__(self, threshold: float = 0.0) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x > self.threshold).to(x.dtype)


class Gate(nn.Module):
    """Halves or doubles by channel: a real-valued gate whose multiplies are declared."""

    gates_input = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = torch.where(torch.arange(x.shape[2], device=x.device) % 2 == 0, 0.5, 2.0)
        return x * gate[:, None, None]


class Through(nn.Module):
    """Any function of the frames (T, N, C, H, W) as a model, with its layers beside it."""

    def __init__(self, function: Callable[[Any, torch.Tensor], torch.Tensor], **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self._function = function

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self._function(self, frames)


def whole(layer: Layer, seed: int = 0) -> Layer:
    """The layer with weights drawn from -1, 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randint(-1, 2, parameter.shape, generator=generator))
    return layer


class SmallNet(nn.Module):
    """Convolution over T*N rows, spikes, a gate, a readout over (T, N, F): frames (T, N, 2, 6, 5) to scores (N, K)."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.conv = whole(nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False), 1)
        self.norm = nn.BatchNorm2d(4)
        self.fire = Fire()
        self.gate = Gate()
        self.readout = whole(nn.Linear(4 * 3 * 3, classes), 2)

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        T, N = frames.shape[:2]
        currents = self.norm(self.conv(frames.flatten(0, 1))).unflatten(0, (T, N))
        scores: torch.Tensor = self.readout(self.gate(self.fire(currents)).flatten(2))
        return scores

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self.scores_per_step(frames).mean(0)


def some_frames(steps: int, samples: int, most: int = 3, seed: int = 0) -> torch.Tensor:
    """Counts (T, N, 2, 6, 5), sparse, 0 to `most`; every second sample is binary."""
    generator = torch.Generator().manual_seed(seed)
    shape = (steps, samples, 2, 6, 5)
    frames = torch.randint(1, most + 1, shape, generator=generator).float()
    frames *= torch.rand(shape, generator=generator) < 0.3
    frames[:, ::2].clamp_(max=1)
    return frames


def batched(
    frames: torch.Tensor, labels: torch.Tensor, size: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    yield from zip(torch.split(frames, size, dim=1), torch.split(labels, size), strict=True)
