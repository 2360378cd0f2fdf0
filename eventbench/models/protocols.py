"""Protocols: optional methods and attributes of a model, or of a layer inside it, beyond `forward`.

No class has to derive from these: a model or layer implements a protocol by having its method or class attribute.
Nothing is guessed from values. Test with `isinstance(model, FitsOnce)`; for attributes that may be False, with
`is_spiking` and `gates_its_input`.

This file is not a member of the family `models`. It is here and not in `layers` so that scoring a submitted model does
not import Norse.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import torch
from torch import nn

Operations = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@runtime_checkable
class FitsOnce(Protocol):
    """A model that trains itself in one pass over the training batches; the training loop is skipped.

    Example: `event_count`. The method is called `fit_once` so that a model that happens to have a method `fit` is
    trained as usual.
    """

    def fit_once(self, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Learn from batches of (frames (T, N, C, H, W), labels (N,)), each given once."""


@runtime_checkable
class ScoresPerStep(Protocol):
    """A model with scores at every time step. The losses `per_step_ce` and `tet` need it."""

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (T, N, K) of frames (T, N, C, H, W); their mean over T is what `forward` returns."""


@runtime_checkable
class Spiking(Protocol):
    """A layer that outputs spikes, only 0 and 1, declared by `spiking = True`.

    `firing_rate` counts the spikes. `synaptic_operations` does not count its parameters (time constants, thresholds) as
    synapses.
    """

    spiking: bool


@runtime_checkable
class GatesInput(Protocol):
    """A layer that multiplies its input by a gate, declared by `gates_input = True`. Example: TCJA.

    `synaptic_operations` counts one multiply-accumulate per nonzero input. A layer with other multiplications of its own
    has `count_synaptic_operations` instead and counts the gating there. Example: PFA.
    """

    gates_input: bool


@runtime_checkable
class CountsSynapticOperations(Protocol):
    """A model or layer that counts its own operations, those outside of the layers inside it."""

    def count_synaptic_operations(self, inputs: torch.Tensor, /) -> Operations:
        """Accumulates, multiply-accumulates and dense operations for this input: whole numbers, each of shape (N,)."""


@runtime_checkable
class FeedsSpikesBack(Protocol):
    """A spiking layer (T, N, C) that multiplies its spikes of step t - 1 with `recurrent.weight` (C, C) at step t.

    `synaptic_operations` counts these products. Declared by `feeds_spikes_back = True`. Example: RecurrentLIF.
    """

    feeds_spikes_back: bool
    recurrent: nn.Linear


@runtime_checkable
class ReportsBackend(Protocol):
    """A layer with several backends; the record of a run names the one that was used."""

    last_backend: str | None
    """The backend of the last call, None before the first."""


def is_spiking(layer: object) -> bool:
    """Whether a layer declares that its outputs are spikes."""
    return isinstance(layer, Spiking) and layer.spiking is True


def gates_its_input(layer: object) -> bool:
    """Whether a layer declares that it multiplies its input by a gate."""
    return isinstance(layer, GatesInput) and bool(layer.gates_input)
