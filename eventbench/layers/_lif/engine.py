"""What every engine of the fused LIF computes: the arguments of its two passes, and the engines by name.

An engine is a module with kernels over rows: M neurons side by side in memory, T steps one after the other.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple, Protocol, cast

import torch

from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.neuron import Neuron


class Dynamics(NamedTuple):
    """How M neurons integrate: their settings, their time constants, and which neighbours share a channel's."""

    neuron: Neuron
    rate: Rate
    inner: int  # so many neurons side by side belong to one channel


class ForwardRows(NamedTuple):
    """The arrays of a forward pass. Read: `currents`. Written: `spikes` and, where they are kept, `membranes`."""

    currents: torch.Tensor  # (T, M)
    spikes: torch.Tensor  # (T, M)
    membranes: torch.Tensor | None  # (T, M), before the reset
    membrane: torch.Tensor  # (M,), the one to start from; left as that after the last reset


class BackwardRows(NamedTuple):
    """The arrays of a backward pass. Written: `grad_currents` and, where 1/tau is learned, `grad_gain`."""

    grad_spikes: torch.Tensor  # (T, M)
    membranes: torch.Tensor  # (T, M), before the reset
    grad_currents: torch.Tensor  # (T, M)
    grad_membrane: torch.Tensor  # (M,), the gradient at the last membrane; left as that at the first
    start: torch.Tensor  # (M,), the first membrane; read where 1/tau is learned
    grad_gain: torch.Tensor | None  # (M,), the gradient at each neuron's 1/tau


class Engine(Protocol):
    """A module with the kernels: `cpu` or `triton_kernels`."""

    def forward(self, rows: ForwardRows, dynamics: Dynamics) -> bool:
        """Fill the rows; False where a membrane ends up NaN or infinite and the engine has looked."""

    def backward(self, rows: BackwardRows, dynamics: Dynamics) -> None:
        """Fill the rows."""


class NotFinite(Exception):
    """A membrane is NaN or infinite; the layer, which knows its name and input, refuses them in its own words."""


def engine_of(backend: str) -> Engine:
    """The module behind "numba" or "triton", imported when it is first needed."""
    return cast(Engine, import_module({"numba": ".cpu", "triton": ".triton_kernels"}[backend], __package__))
