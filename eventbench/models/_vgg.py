"""The plain feed-forward stack of the TCJA and PFA papers: convolutions, a pool after each stage, gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers import PFA, TCJA
from eventbench.models._config import Neuron, each, require_stages
from eventbench.models._stages import Halve, Stage

Gate = Callable[[int, int], nn.Module]  # (number of the gate, channels) -> (T, N, C, H, W) -> the same shape
Widths = Sequence[int | Sequence[int]]
PLACES = ("before_pool", "after_pool")


def stack(
    inputs: int,
    channels: Widths,
    pool: str,
    neuron: Neuron,
    *,
    bias: bool = False,
    gate: Gate | None = None,
    gated: Sequence[int] = (),
    place: str = "before_pool",
) -> tuple[list[nn.Module], int]:
    """The layers of a stack, and the channels it ends with.

    An entry of `channels` is one stage: a width, or the widths of its convolutions; a pool ends it. `gate` makes the
    module of each stage numbered in `gated`, in front of its pool or behind it (`place`).
    """
    if place not in PLACES:
        raise BadSpec(f"place is {place!r}", where="model config", allowed=", ".join(PLACES))
    stages = [[entry] if isinstance(entry, int) else list(entry) for entry in channels]
    if not stages or not all(stages) or not all(isinstance(w, int) and w > 0 for s in stages for w in s):
        raise BadSpec(
            f"channels is {list(channels)}",
            where="model config",
            allowed="a list of stages, each a whole number above 0 or a list of them",
        )
    numbers = require_stages(gated, len(stages), "gated")
    layers: list[nn.Module] = []
    for number, widths in enumerate(stages):
        for width in widths:
            layers.append(Stage(inputs, width, neuron, bias=bias))
            inputs = width
        end: list[nn.Module] = [Halve(pool)]
        if gate is not None and number in numbers:
            end.insert(0 if place == "before_pool" else 1, gate(numbers.index(number), inputs))
        layers += end
    return layers, inputs


def tcja_gates(
    time_steps: int,
    count: int,
    kernel_over_time: int | Sequence[int],
    kernel_over_channels: int | Sequence[int],
    branches: str,
) -> Gate:
    """Makes the TCJA of each of `count` gated stages; a kernel is one number for all, or one for each."""
    over_time = each(kernel_over_time, count, "kernel_over_time")
    over_channels = each(kernel_over_channels, count, "kernel_over_channels")

    def gate(number: int, C: int) -> nn.Module:
        return TCJA(time_steps, C, over_time[number], over_channels[number], branches)

    return gate


def pfa_gates(
    time_steps: int,
    ranks: Sequence[int],
    composition: str,
    fusion: str,
    kernel_over_space: int,
    *,
    gated_input: bool,
) -> Gate:
    """Makes the PFA of each gated stage, a rank for each; `gated_input` puts one before them, number -1, on the frames."""

    def gate(number: int, C: int) -> nn.Module:
        return PFA(time_steps, C, ranks[number + gated_input], composition, fusion, kernel_over_space)

    return gate
