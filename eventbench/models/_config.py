"""Values of a network's config: checked, completed by the published neuron, spread over stages."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from eventbench.errors import BadSpec
from eventbench.layers import LIF

Neuron = Mapping[str, Any]  # keyword arguments of LIF

# `LIFSpike` of the TET code: m = m/2 + x, spikes where m > 1, m to 0 there with the gradient through the reset.
TET_NEURON = {
    "tau": 2.0,
    "decay_input": False,
    "surrogate": "triangle",
    "alpha": 1.0,
    "detach_reset": False,
}


def neuron_of(published: Neuron, changed: Neuron | None) -> dict[str, Any]:
    """The published neuron with what the config changes. LIF itself refuses values; keys are refused here."""
    known = list(inspect.signature(LIF).parameters)
    unknown = sorted(set(changed or ()) - set(known))
    if unknown:
        raise BadSpec(f"neuron has {unknown[0]!r}", where="model config", allowed=", ".join(known))
    return {**published, **(changed or {})}


def each(value: int | Sequence[int], count: int, name: str) -> list[int]:
    """One value for all, or a list with a value for each of `count`."""
    values = list(value) if isinstance(value, Sequence) else [value] * count
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
    """The number of residual blocks of each stage, checked together with the stages' widths."""
    depths = each(blocks, len(channels), "blocks")
    if not channels or min(*channels, *depths) < 1:
        raise BadSpec(
            f"channels is {list(channels)} and blocks is {depths}",
            where="model config",
            allowed="whole numbers above 0, an entry a stage",
        )
    return depths


def last_two(count: int) -> list[int]:
    """The numbers of the last two of `count` stages: where TCJA stands by default."""
    return list(range(max(0, count - 2), count))


def halved(size: tuple[int, int], times: int) -> tuple[int, int]:
    """(width, height) behind `times` pools."""
    for _ in range(times):
        size = (max(1, size[0] // 2), max(1, size[1] // 2))
    return size
