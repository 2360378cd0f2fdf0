"""Values of a network's config: checks, defaults of the published neurons, one value per stage, map sizes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from eventbench.errors import BadSpec
from eventbench.layers import LIF

Neuron = Mapping[str, Any]  # keyword arguments of LIF

# What the neurons of all code written with SpikingJelly share. `conv_snn`, `tcja_net` and `pfa_net`, which are ours, keep
# Norse's rule, and so do TET's and MS-ResNet's neurons below, whose code has a strict `>`.
SPIKINGJELLY = {"fires_at": "at_or_above"}

# `LIFSpike` of the TET code: m = m/2 + x, a spike where m > 1, then m = 0 with the gradient through the reset.
TET_NEURON = {
    "tau": 2.0,
    "decay_input": False,
    "surrogate": "triangle",
    "alpha": 1.0,
    "detach_reset": False,
}


def neuron_settings(published: Neuron, overrides: Neuron | None) -> dict[str, Any]:
    """The published neuron with the config's `overrides`. Unknown keys are refused here, wrong values by LIF."""
    known = list(inspect.signature(LIF).parameters)
    unknown = sorted(set(overrides or ()) - set(known))
    if unknown:
        raise BadSpec(
            f"neuron has the unknown key {unknown[0]!r}", where="model config", allowed=", ".join(known)
        )
    return {**published, **(overrides or {})}


def broadcast(value: int | Sequence[int], count: int, name: str) -> list[int]:
    """`count` values: one value repeated, or a list of that length. Raises BadSpec for a list of another length."""
    values = list(value) if isinstance(value, Sequence) else [value] * count
    if len(values) != count:
        raise BadSpec(
            f"{name} has {len(values)} values",
            where="model config",
            allowed=f"one value, or a list of {count}",
        )
    return values


def require_stages(numbers: Sequence[int], count: int, name: str) -> list[int]:
    """Stage numbers, counted from 0. Raises BadSpec for a number that is repeated or out of range."""
    if len(set(numbers)) < len(numbers) or not all(n in range(count) for n in numbers):
        raise BadSpec(
            f"{name} is {list(numbers)}",
            where="model config",
            allowed=f"different stage numbers from 0 to {count - 1}",
        )
    return list(numbers)


def require_depths(channels: Sequence[int], blocks: int | Sequence[int]) -> list[int]:
    """The number of residual blocks of each stage, checked together with the stages' widths."""
    depths = broadcast(blocks, len(channels), "blocks")
    if not channels or min(*channels, *depths) < 1:
        raise BadSpec(
            f"channels is {list(channels)} and blocks is {depths}",
            where="model config",
            allowed="whole numbers above 0, one per stage",
        )
    return depths


class ResidualBlock(NamedTuple):
    """The input channels, output channels and stride of one block of a residual network."""

    inputs: int
    outputs: int
    stride: int


def residual_blocks(channels: Sequence[int], depths: Sequence[int]) -> Iterator[ResidualBlock]:
    """The blocks of stages with these widths and depths; the first block of each stage but the first has stride 2."""
    inputs = channels[0]
    for stage, (outputs, depth) in enumerate(zip(channels, depths, strict=True)):
        for block in range(depth):
            yield ResidualBlock(inputs, outputs, stride=2 if stage > 0 and block == 0 else 1)
            inputs = outputs


def last_two_stages(count: int) -> list[int]:
    """The numbers of the last two of `count` stages, which have a TCJA by default."""
    return list(range(max(0, count - 2), count))


def pooled_size(size: tuple[int, int], pools: int) -> tuple[int, int]:
    """(width, height) of maps after a number of 2 x 2 pools."""
    for _ in range(pools):
        size = (max(1, size[0] // 2), max(1, size[1] // 2))
    return size
