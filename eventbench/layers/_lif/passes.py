"""The forward and the backward pass of the fused LIF over rows (T, M), by any engine that computes them."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

import torch

from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.memory_order import Layout
from eventbench.layers._lif.neuron import MEMBRANE, Neuron, compute_dtype


class Engine(Protocol):
    """A module with the kernels: `cpu` or `triton_kernels`."""

    def forward(
        self,
        x: torch.Tensor,
        spikes: torch.Tensor,
        h: torch.Tensor | None,
        v: torch.Tensor,
        rate: Rate,
        inner: int,
        neuron: Neuron,
    ) -> bool: ...

    def backward(
        self,
        grad_spikes: torch.Tensor,
        h: torch.Tensor,
        grad_x: torch.Tensor,
        grad_v: torch.Tensor,
        v0: torch.Tensor,
        grad_gain: torch.Tensor | None,
        rate: Rate,
        inner: int,
        neuron: Neuron,
    ) -> None: ...


class NotFinite(Exception):
    """Raised by the operation, turned into the layer's refusal, which knows whose input it was."""


def engine_of(backend: str) -> Engine:
    """The module behind "numba" or "triton", imported when it is first needed."""
    return cast(Engine, import_module({"numba": ".cpu", "triton": ".triton_kernels"}[backend], __package__))


def forward_pass(
    x: torch.Tensor, rate: Rate, v: torch.Tensor | None, neuron: Neuron, engine: Engine, keep: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """The output, the last membrane and, when `keep`, the membranes before reset, laid out as the output."""
    layout, dtype = Layout.of(x), compute_dtype(x.dtype)
    out = layout.empty(x.dtype, x.device)
    last = layout.one(dtype, x.device, neuron.leak if v is None else v.detach())
    h, rows = None, layout.rows(out)
    if neuron.surrogate == MEMBRANE:
        h, rows = out if x.dtype == dtype else layout.empty(dtype, x.device), torch.empty_like(rows)
    elif keep:
        h = layout.empty(dtype, x.device)
    kept = None if h is None else layout.rows(h)
    currents, membrane = layout.rows(x.detach()), layout.row(last)
    if x.numel() and not engine.forward(currents, rows, kept, membrane, rate, layout.inner, neuron):
        raise NotFinite
    if neuron.surrogate == MEMBRANE and h is not None and h is not out:
        out.copy_(h)
    return out, last, h


def backward_pass(
    at_out: torch.Tensor,
    at_last: torch.Tensor | None,
    h: torch.Tensor | None,
    v: torch.Tensor | None,
    rate: Rate,
    neuron: Neuron,
    engine: Engine,
    learned: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """The gradients at the currents, at the first membrane and, where it is `learned`, at 1/tau."""
    dtype, device = compute_dtype(at_out.dtype), at_out.device
    layout = Layout.of(at_out if h is None else h)
    cotangents = layout.rows(at_out)
    kept = cotangents.to(dtype) if h is None else layout.rows(h)
    grad_x = layout.empty(at_out.dtype, device)
    grad_v = layout.one(dtype, device, 0.0 if at_last is None else at_last)
    start = layout.one(dtype, device, neuron.leak if v is None else v)
    grad_gain = layout.one(dtype, device, 0.0) if learned else None
    if at_out.numel():
        at_gain = None if grad_gain is None else layout.row(grad_gain)
        rows, row, first = layout.rows(grad_x), layout.row(grad_v), layout.row(start)
        engine.backward(cotangents, kept, rows, row, first, at_gain, rate, layout.inner, neuron)
    if grad_gain is None or not isinstance(rate.gain, torch.Tensor):
        return grad_x, grad_v, None
    return grad_x, grad_v, _summed(grad_gain, rate.gain)


def _summed(grads: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    """Each neuron's gradient at 1/tau (N, C, ...) added up to the shape of `gain`, () or (C,)."""
    others = [axis for axis in range(grads.ndim) if not gain.ndim or axis != 1]
    # In float64: a million float32 terms would lose three digits.
    return grads.double().sum(others).to(gain.dtype) if others else grads.to(gain.dtype)
