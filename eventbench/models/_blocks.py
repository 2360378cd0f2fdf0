"""What the published networks are put together from: stages over (T, N, ...), dropout shared over time, heads.

Every network here gives scores at each step, `scores_per_step` (T, N, K), and its scores are their mean over T:
losses that look at each step (TET, per-step cross-entropy) and those of the rate take the same network.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, max_pool2d

from eventbench.errors import BadSpec
from eventbench.layers import LIF, norm_lif
from eventbench.layers.arguments import require_floating
from eventbench.models._refusals import require_input, require_values
from eventbench.models.base import Model

Neuron = Mapping[str, Any]  # keyword arguments of LIF

# `LIFSpike` of the TET code: m = m/2 + x, spikes where m > 1, m to 0 there with the gradient through the reset.
TET_NEURON = {
    "tau": 2.0,
    "decay_input": False,
    "surrogate": "triangle",
    "alpha": 1.0,
    "detach_reset": False,
}


class StepwiseModel(Model):
    """A model whose scores are the mean over T of what it answers at each step."""

    @abstractmethod
    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (T, N, K) of frames (T, N, C, H, W)."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self.scores_per_step(frames).mean(0)


class Chain(StepwiseModel):
    """`features`, then `head`: the form of every network without branches."""

    features: nn.Sequential
    head: nn.Sequential

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        maps = self.features(frames)
        require_values(maps, self.head, frames)
        return self.head(maps)


class PerStep(nn.Sequential):
    """Layers of images (N, ...) applied to each step of (T, N, ...)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class Normed(nn.Module):
    """Convolution and batch norm over all steps: (T, N, C, H, W) -> (T, N, C', H', W')."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, bias: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=bias)
        self.norm = nn.BatchNorm2d(outputs)

    def convolved(self, x: torch.Tensor) -> torch.Tensor:
        """What the norm is given."""
        require_input(x, self.conv)
        # Channels last, as in the backbone: on the CPU a training step takes two thirds of the time.
        images = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return self.conv(images).unflatten(0, x.shape[:2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.convolved(x).flatten(0, 1)).unflatten(0, x.shape[:2])


class Stage(nn.Module):
    """Convolution, batch norm, LIF: (T, N, C, H, W) -> spikes (T, N, C', H', W')."""

    def __init__(
        self, inputs: int, outputs: int, neuron: Neuron, kernel: int = 3, stride: int = 1, bias: bool = False
    ) -> None:
        super().__init__()
        self.normed = Normed(inputs, outputs, kernel, stride, bias)
        self.lif = LIF(**neuron)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return norm_lif(self.normed.convolved(x), self.normed.norm, self.lif)


class Halve(nn.Module):
    """Max or average pool of 2 x 2, the last odd row and column dropped: (T, N, C, H, W) -> (T, N, C, H//2, W//2).

    An axis of length 1 stays as it is, so that a network of n pools takes sensors smaller than 2^n.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        if kind not in ("max", "average"):
            raise BadSpec(f"pool is {kind!r}", where="model config", allowed="max, average")
        self.kind = kind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        window = (min(2, x.shape[3]), min(2, x.shape[4]))
        pool = max_pool2d if self.kind == "max" else avg_pool2d
        return pool(x.flatten(0, 1), window).unflatten(0, x.shape[:2])

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
        return adaptive_avg_pool2d(x.flatten(0, 1), self.size).unflatten(0, x.shape[:2])

    def extra_repr(self) -> str:
        return str(self.size)


class SharedDropout(nn.Module):
    """Dropout with one mask for all steps: (T, N, ...) -> the same."""

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


class StaticStem(nn.Module):
    """Convolution and batch norm of images (N, C, H, W), said again at each of T steps: -> (T, N, C', H, W).

    Frames (T, N, C, H, W) are taken too. One picture expanded over T (stride 0) is convolved once; frames that may
    differ are convolved each.
    """

    def __init__(self, time_steps: int, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.time_steps = time_steps
        self.normed = Normed(inputs, outputs, kernel)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.ndim == 4:
            x = x.expand(self.time_steps, *x.shape)
        if x.stride(0) != 0:
            return self.normed(x)
        once = self.normed(x[:1])
        return once.expand(x.shape[0], *once.shape[1:])


def neuron_of(published: Neuron, changed: Neuron | None) -> dict[str, Any]:
    """The published neuron with what the config changes. LIF itself refuses values; keys are refused here."""
    known = list(inspect.signature(LIF).parameters)
    unknown = sorted(set(changed or ()) - set(known))
    if unknown:
        raise BadSpec(f"neuron has {unknown[0]!r}", where="model config", allowed=", ".join(known))
    return {**published, **(changed or {})}


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
    """Layers from maps (T, N, C, H, W) of `features` values to (T, N, last width).

    Each width is a dropout, a linear layer and LIF; `spiking=False` leaves the last LIF out.
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


def he_init(network: nn.Module) -> None:
    """Convolutions drawn as He et al. (2015) do by fan-out, which the TET networks start from."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def each(value: Any, count: int, name: str) -> list[Any]:
    """One value for all, or a list with a value for each of `count`."""
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value] * count
    if len(values) != count:
        raise BadSpec(
            f"{name} has {len(values)} values",
            where="model config",
            allowed=f"one value, or {count}: one for each",
        )
    return values


def require_stages(numbers: Sequence[int], count: int, name: str) -> list[int]:
    """Numbers of stages, counted from 0."""
    if len(set(numbers)) < len(numbers) or not all(n in range(count) for n in numbers):
        raise BadSpec(
            f"{name} is {list(numbers)}",
            where="model config",
            allowed=f"different numbers of stages, 0 to {count - 1}",
        )
    return list(numbers)


def require_depths(channels: Sequence[int], blocks: int | Sequence[int]) -> list[int]:
    """How many residual blocks each stage has, checked beside the stages' widths."""
    depths = each(blocks, len(channels), "blocks")
    if not channels or min(*channels, *depths) < 1:
        raise BadSpec(
            f"channels is {list(channels)} and blocks is {depths}",
            where="model config",
            allowed="whole numbers above 0, an entry a stage",
        )
    return depths


def last_two(count: int) -> list[int]:
    """The numbers of the last two of `count` stages: where TCJA stands unless told otherwise."""
    return list(range(max(0, count - 2), count))


def halved(size: tuple[int, int], times: int) -> tuple[int, int]:
    """What `times` pools leave of (width, height)."""
    for _ in range(times):
        size = (max(1, size[0] // 2), max(1, size[1] // 2))
    return size
