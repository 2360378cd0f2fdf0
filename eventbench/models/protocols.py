"""Protocols for what a model, or a layer inside it, may offer beyond `forward`.

Nobody has to derive from these classes: a model or layer offers something by having the method or the class attribute
that the protocol names; nothing is guessed from values. `isinstance(model, FitsOnce)` asks for it. Where an attribute
may also be False, `is_spiking` and `gates_its_input` ask.

The file is no member of the family `models`. It lies here and not in `layers` so that scoring a model of a user's own
does not import Norse.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import torch

Operations = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@runtime_checkable
class FitsOnce(Protocol):
    """A model that trains itself in one pass over the training batches: the training loop takes no step with it.

    `event_count` is one. The name is `fit_once` so that a model which happens to have a method `fit` is trained like
    any other.
    """

    def fit_once(self, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Learn from batches of (frames (T, N, C, H, W), labels (N,)), each given once."""


@runtime_checkable
class ScoresPerStep(Protocol):
    """A model that has scores at every time step. Losses of each step (`per_step_ce`, `tet`) need it."""

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (T, N, K) of frames (T, N, C, H, W); their mean over T is what `forward` returns."""


@runtime_checkable
class Spiking(Protocol):
    """A layer whose output holds spikes, 0 and 1 and nothing else, declared by `spiking = True`.

    `firing_rate` counts them. `synaptic_operations` takes its parameters (time constants, thresholds) for no synapses.
    """

    spiking: bool


@runtime_checkable
class GatesInput(Protocol):
    """A layer that multiplies its input by a gate of its own, declared by `gates_input = True`: TCJA is one.

    `synaptic_operations` counts one multiply-accumulate for each input that is not 0. A layer that multiplies
    anything else itself has `count_synaptic_operations` instead, and counts the gating there: PFA is one.
    """

    gates_input: bool


@runtime_checkable
class CountsSynapticOperations(Protocol):
    """A model or layer that counts the multiplications which it does itself, outside of layers inside it."""

    def count_synaptic_operations(self, inputs: torch.Tensor, /) -> Operations:
        """Accumulates, multiply-accumulates and dense operations for this input: whole numbers, each of shape (N,)."""


@runtime_checkable
class ReportsBackend(Protocol):
    """A layer computed by one of several backends; the record of a run names the one that was used."""

    last_backend: str | None
    """The backend of the last call, None before the first."""


def is_spiking(layer: object) -> bool:
    """Whether a layer declares that its outputs are spikes."""
    return isinstance(layer, Spiking) and layer.spiking is True


def gates_its_input(layer: object) -> bool:
    """Whether a layer declares that it multiplies its input by a gate."""
    return isinstance(layer, GatesInput) and bool(layer.gates_input)
