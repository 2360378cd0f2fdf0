"""Stages of the published networks on (T, N, C, H, W): convolutions, pools, and the stem for still images."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, max_pool2d

from eventbench.errors import BadSpec
from eventbench.layers import LIF, norm_lif
from eventbench.layers.arguments import require_floating
from eventbench.models._checks import require_input
from eventbench.models._config import Neuron


class PerStep(nn.Sequential):
    """Layers of images (N, ...) applied to each step of (T, N, ...)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        images: torch.Tensor = super().forward(x.flatten(0, 1))  # type: ignore[no-untyped-call]
        return torch.unflatten(images, 0, x.shape[:2])


class Normed(nn.Module):
    """Convolution and batch norm: (T, N, C, H, W) -> (T, N, C', H', W').

    The statistics of a training batch are over all its steps, or, with `each_step`, of each step alone, as where the
    network is called step by step: the running statistics then move T times a batch. In evaluation both are the same.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = False,
        each_step: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=bias)
        self.norm = nn.BatchNorm2d(outputs)
        self.each_step = each_step

    def convolved(self, x: torch.Tensor) -> torch.Tensor:
        """The convolution alone (T, N, C', H', W'), the input of the norm."""
        require_input(x, self.conv)
        # Channels last, as in the backbone: a training step on the CPU takes only two thirds of the time.
        images = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return torch.unflatten(self.conv(images), 0, x.shape[:2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        currents = self.convolved(x)
        if self.each_step and self.norm.training:
            return torch.stack([self.norm(step) for step in currents.unbind(0)])
        return torch.unflatten(self.norm(currents.flatten(0, 1)), 0, x.shape[:2])


class Stage(nn.Module):
    """Convolution, batch norm, LIF: (T, N, C, H, W) -> spikes (T, N, C', H', W'); `each_step` as in `Normed`."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        neuron: Neuron,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = False,
        each_step: bool = False,
    ) -> None:
        super().__init__()
        self.normed = Normed(inputs, outputs, kernel, stride, bias, each_step)
        self.lif = LIF(**neuron)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.normed.each_step:
            spikes: torch.Tensor = self.lif(self.normed(x))
            return spikes
        return norm_lif(self.normed.convolved(x), self.normed.norm, self.lif)


class Halve(nn.Module):
    """Max or average pool of 2 x 2; an odd last row or column is dropped: (T, N, C, H, W) -> (T, N, C, H//2, W//2).

    An axis of length 1 is kept, so that a network with n pools accepts sensors smaller than 2^n.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        if kind not in ("max", "average"):
            raise BadSpec(f"pool is {kind!r}", where="model config", allowed="max, average")
        self.kind = kind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        window = (min(2, x.shape[3]), min(2, x.shape[4]))
        pool = max_pool2d if self.kind == "max" else avg_pool2d
        return torch.unflatten(pool(x.flatten(0, 1), window), 0, x.shape[:2])

    def extra_repr(self) -> str:
        return self.kind


class Resize(nn.Module):
    """Adaptive average pool to `size` x `size`: (T, N, C, H, W) -> (T, N, C, size, size)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        require_floating(x, "Resize")
        if x.ndim != 5 or 0 in x.shape[2:]:
            allowed = "(T, N, C, H, W) with C, H and W of 1 or more"
            raise BadSpec(f"got {tuple(x.shape)}", where="Resize", allowed=allowed)
        return torch.unflatten(adaptive_avg_pool2d(x.flatten(0, 1), self.size), 0, x.shape[:2])

    def extra_repr(self) -> str:
        return str(self.size)


class StaticStem(nn.Module):
    """Convolution and batch norm of images (N, C, H, W), repeated at each of T steps: -> (T, N, C', H, W).

    Frames (T, N, C, H, W) are accepted too. An image expanded over T (stride 0) is convolved once; other frames are
    convolved one by one.
    """

    def __init__(self, time_steps: int, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.time_steps = time_steps
        self.normed = Normed(inputs, outputs, kernel)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.ndim == 4:
            x = x.expand(self.time_steps, *x.shape)
        if x.stride(0) != 0:
            maps: torch.Tensor = self.normed(x)
            return maps
        single_step: torch.Tensor = self.normed(x[:1])
        return single_step.expand(x.shape[0], *single_step.shape[1:])


def he_init(network: nn.Module) -> None:
    """Initialise convolutions as He et al. (2015), by fan-out, as the code of the TET networks and of SEW-ResNet does."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
