"""The feed-forward networks of the TCJA and PFA papers: stages of convolutions that end in a pool, some with a gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers import PFA, TCJA
from eventbench.models._config import Neuron, broadcast, require_stages
from eventbench.models._stages import Halve, Stage

Gate = Callable[
    [int, int], nn.Module
]  # (number of the gate, channels) -> a module (T, N, C, H, W) -> the same shape
Widths = Sequence[int | Sequence[int]]
PLACES = ("before_pool", "after_pool")


def vgg_stages(
    inputs: int,
    channels: Widths,
    pool: str,
    neuron: Neuron,
    *,
    bias: bool = False,
    gate: Gate | None = None,
    gated: Sequence[int] = (),
    place: str = "before_pool",
    norm_each_step: bool = False,
) -> tuple[list[nn.Module], int]:
    """The layers of all stages, and the channels of the last one.

    Each entry of `channels` is one stage: a width, or the widths of its convolutions. A pool ends each stage. `gate`
    makes the module of each stage listed in `gated`, before or after its pool (`place`). `norm_each_step` is `each_step` of
    `Normed`.
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
    gated_stages = require_stages(gated, len(stages), "gated")
    layers: list[nn.Module] = []
    for stage, widths in enumerate(stages):
        for width in widths:
            layers.append(Stage(inputs, width, neuron, bias=bias, each_step=norm_each_step))
            inputs = width
        stage_end: list[nn.Module] = [Halve(pool)]
        if gate is not None and stage in gated_stages:
            stage_end.insert(0 if place == "before_pool" else 1, gate(gated_stages.index(stage), inputs))
        layers += stage_end
    return layers, inputs


def tcja_gates(
    time_steps: int,
    count: int,
    kernel_over_time: int | Sequence[int],
    kernel_over_channels: int | Sequence[int],
    branches: str,
) -> Gate:
    """A function that makes the TCJA of each of `count` gated stages; a kernel is one number for all, or one for each."""
    over_time = broadcast(kernel_over_time, count, "kernel_over_time")
    over_channels = broadcast(kernel_over_channels, count, "kernel_over_channels")

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
    """A function that makes the PFA of each gated stage, with one rank each.

    With `gated_input` there is one more PFA, number -1, on the frames; its rank is the first one.
    """

    def gate(number: int, C: int) -> nn.Module:
        return PFA(time_steps, C, ranks[number + gated_input], composition, fusion, kernel_over_space)

    return gate
