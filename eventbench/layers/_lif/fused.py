"""LIF fused over time as one differentiable operation, for any engine that computes rows (T, M).

Only the membrane before reset is kept for the backward pass, one tensor of the input's size where a loop of
torch operations keeps three; spikes are recomputed from it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.neuron import MEMBRANE, Neuron, compute_dtype
from eventbench.layers._lif.passes import Engine, backward_pass, engine_of, forward_pass


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
        from eventbench.layers._lif.compiled import compiled_lif

        return compiled_lif(x, rate, v, neuron, backend)
    engine = engine_of(backend)
    inputs = (x, rate.gain, v)
    if torch.is_grad_enabled() and any(isinstance(a, torch.Tensor) and a.requires_grad for a in inputs):
        tau = rate.tau.detach() if isinstance(rate.tau, torch.Tensor) else rate.tau
        return _FusedLIF.apply(x, rate.gain, v, tau, neuron, engine)
    out, last, _ = forward_pass(x, rate, v, neuron, engine, keep=False)
    return out, last


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
