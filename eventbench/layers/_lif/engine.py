"""The interface of the engines of the fused LIF: the arguments of the forward and backward pass; engines by name.

An engine is a module whose kernels work on rows (T, M): the M neurons of a step side by side in memory, T steps.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple, Protocol, cast

import torch

from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.neuron import Neuron


class Dynamics(NamedTuple):
    """How M neurons integrate: their settings, their time constants, and which neighbours share a time constant."""

    neuron: Neuron
    rate: Rate
    inner: int  # number of neurons side by side that belong to one channel


class ForwardRows(NamedTuple):
    """The arrays of a forward pass. It reads `currents` and writes `spikes` and, unless None, `membranes`."""

    currents: torch.Tensor  # (T, M)
    spikes: torch.Tensor  # (T, M)
    membranes: torch.Tensor | None  # (T, M), before the reset
    membrane: torch.Tensor  # (M,), in: the initial membrane; out: the membrane after the last reset


class BackwardRows(NamedTuple):
    """The arrays of a backward pass. It writes `grad_currents` and, if 1/tau is learned, `grad_gain`."""

    grad_spikes: torch.Tensor  # (T, M)
    membranes: torch.Tensor  # (T, M), before the reset
    grad_currents: torch.Tensor  # (T, M)
    grad_membrane: torch.Tensor  # (M,), in: the gradient of the last membrane; out: of the initial one
    start: torch.Tensor  # (M,), the initial membrane; read if 1/tau is learned
    grad_gain: torch.Tensor | None  # (M,), the gradient of each neuron's 1/tau


class Engine(Protocol):
    """A module with the kernels: `cpu` or `triton_kernels`."""

    def forward(self, rows: ForwardRows, dynamics: Dynamics) -> bool:
        """Fill the rows. False if a membrane ends up NaN or infinite, from an engine that checks this."""

    def backward(self, rows: BackwardRows, dynamics: Dynamics) -> None:
        """Fill the rows."""


class NotFinite(Exception):
    """A membrane is NaN or infinite. The layer, which knows its name and input, turns this into a BadSpec."""


def engine_of(backend: str) -> Engine:
    """The engine of backend "numba" or "triton", imported at first use."""
    return cast(Engine, import_module({"numba": ".cpu", "triton": ".triton_kernels"}[backend], __package__))
