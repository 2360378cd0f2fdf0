"""Norse: its neurons fire and return (spikes, state); leaky integrators do not. Recurrent cells hold their matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from norse.torch.module import leaky_integrator, leaky_integrator_box, snn
from torch import nn

from eventbench.errors import NotCounted
from eventbench.metrics._counters.base import Call, Counter, Rows, matrix_rows

FEED_FORWARD, RECURRENT = (snn.SNN, snn.SNNCell), (snn.SNNRecurrent, snn.SNNRecurrentCell)
INTEGRATORS = (leaky_integrator.LI, leaky_integrator.LICell, leaky_integrator_box.LIBoxCell)


def fires(module: nn.Module) -> bool:
    """A neuron that is no integrator."""
    return isinstance(module, FEED_FORWARD + RECURRENT) and not isinstance(module, INTEGRATORS)


def counter_of(module: nn.Module) -> Counter | None:
    """Of cells and sequences with matrices of their own."""
    if isinstance(module, RECURRENT):
        return RecurrentCounter(module)
    return LinearCounter(module) if isinstance(module, leaky_integrator.LILinearCell) else None


class LinearCounter:
    """Counts a `LILinearCell`: the input (N, F) times its weights."""

    def __init__(self, cell: nn.Module) -> None:
        self._cell = cell

    def inputs(self, call: Call) -> Sequence[tuple[torch.Tensor, int]]:
        """The input (N, F)."""
        return [(call.x, call.x.ndim - 1)]

    def count(self, call: Call) -> Sequence[Rows]:
        """Of the input."""
        return [matrix_rows(call.x, self._cell.input_weights)]  # type: ignore[arg-type]


class RecurrentCounter:
    """Counts a recurrent cell over (N, F), or a sequence over (T, N, F): input weights, and recurrent ones times spikes."""

    def __init__(self, layer: nn.Module) -> None:
        self._layer, self._sequence = layer, isinstance(layer, snn.SNNRecurrent)

    def inputs(self, call: Call) -> Sequence[tuple[torch.Tensor, int]]:
        """The input."""
        return [(call.x, call.x.ndim - 1)]

    def count(self, call: Call) -> Sequence[Rows]:
        """Of the input, and of the spikes of the step before."""
        x, state = call.x, call.argument(1, "state")
        spikes = call.output[0]
        first = spikes[:1] if self._sequence else spikes[None]
        before = torch.zeros_like(first) if state is None else _spikes_of(state)[None].to(spikes.dtype)
        fed_back = torch.cat([before, spikes[:-1]]) if self._sequence else before[0]
        weights = self._layer.input_weights, self._layer.recurrent_weights
        return [matrix_rows(x, weights[0]), matrix_rows(fed_back, weights[1])]  # type: ignore[arg-type]


def _spikes_of(state: Any) -> torch.Tensor:
    spikes = getattr(state, "z", None)
    if spikes is None:
        spikes = getattr(getattr(state, "lif", None), "z", None)
    if not isinstance(spikes, torch.Tensor):
        raise NotCounted(f"the state {type(state).__name__} of a recurrent layer of Norse has no spikes")
    return spikes
