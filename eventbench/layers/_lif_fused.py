"""LIF fused over time as one differentiable operation, for any engine that computes rows (T, M).

Only the membrane before reset is kept for the backward pass, one tensor of the input's size where a loop of
torch operations keeps three; spikes are recomputed from it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast

import torch
from torch.autograd.function import once_differentiable

from eventbench.layers._lif_layout import Layout
from eventbench.layers._lif_leaky import Rate
from eventbench.layers._lif_neuron import MEMBRANE, Neuron, compute_dtype


class Engine(Protocol):
    """A module with the kernels: `_lif_cpu` or `_lif_triton`."""

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
    return cast(Engine, import_module({"numba": "._lif_cpu", "triton": "._lif_triton"}[backend], __package__))


def fused_lif(
    x: torch.Tensor, rate: Rate, v: torch.Tensor | None, neuron: Neuron, backend: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """(T, N, ...) currents -> ((T, N, ...) spikes, (N, ...) membrane after the last reset), laid out as x in memory.

    The membranes themselves in place of spikes where the neuron's surrogate is MEMBRANE.
    """
    dtype = compute_dtype(x.dtype)
    if backend == "numba" and x.dtype != dtype:
        out, last = fused_lif(x.to(dtype), rate, v, neuron, backend)
        return out.to(x.dtype), last
    if torch.compiler.is_compiling():
        from eventbench.layers._lif_compiled import compiled_lif

        return compiled_lif(x, rate, v, neuron, backend)
    engine = engine_of(backend)
    inputs = (x, rate.gain, v)
    if torch.is_grad_enabled() and any(isinstance(a, torch.Tensor) and a.requires_grad for a in inputs):
        tau = rate.tau.detach() if isinstance(rate.tau, torch.Tensor) else rate.tau
        return _FusedLIF.apply(x, rate.gain, v, tau, neuron, engine)
    out, last, _ = forward_pass(x, rate, v, neuron, engine, keep=False)
    return out, last


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


class _FusedLIF(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        gain: float | torch.Tensor,
        v: torch.Tensor | None,
        tau: float | torch.Tensor,
        neuron: Neuron,
        engine: Engine,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        out, last, h = forward_pass(x, Rate(gain, tau), v, neuron, engine, keep=True)
        ctx.neuron, ctx.engine, ctx.shape = neuron, engine, x.shape
        ctx.dtype, ctx.device = x.dtype, x.device
        ctx.fixed = None if isinstance(gain, torch.Tensor) else (gain, tau)
        # The membrane it started from enters the gradient of tau alone, and so do those of a readout, which is linear.
        learned = ctx.needs_input_grad[1]
        kept = h if learned or neuron.surrogate != MEMBRANE else None
        ctx.save_for_backward(kept, v if learned else None, *(() if ctx.fixed else (gain, tau)))
        ctx.set_materialize_grads(False)
        return out, last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        h, v, *rates = ctx.saved_tensors
        at_out, at_last = grads
        if at_out is None:
            at_out = torch.zeros((), dtype=ctx.dtype, device=ctx.device).expand(ctx.shape)
        rate, learned = Rate(*(ctx.fixed or rates)), ctx.needs_input_grad[1]
        grad_x, grad_v, at_gain = backward_pass(at_out, at_last, h, v, rate, ctx.neuron, ctx.engine, learned)
        return grad_x, at_gain, grad_v if ctx.needs_input_grad[2] else None, None, None, None
