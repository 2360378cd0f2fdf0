"""LIF fused over time as one differentiable operation, for any engine that computes rows (T, M).

Only the membrane before reset is kept for the backward pass, one tensor of the input's size where a loop of
torch operations keeps three; spikes are recomputed from it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from eventbench.layers._lif.engine import Engine, engine_of
from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.neuron import MEMBRANE, Neuron, compute_dtype
from eventbench.layers._lif.passes import backward_pass, forward_pass


def fused_lif(
    x: torch.Tensor, v: torch.Tensor | None, neuron: Neuron, rate: Rate, backend: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """(T, N, ...) currents -> ((T, N, ...) spikes, (N, ...) membrane after the last reset), laid out as x in memory.

    The membranes themselves in place of spikes where the neuron's surrogate is MEMBRANE. Raises NotFinite where the
    engine finds a membrane NaN or infinite.
    """
    dtype = compute_dtype(x.dtype)
    if backend == "numba" and x.dtype != dtype:
        out, last = fused_lif(x.to(dtype), v, neuron, rate, backend)
        return out.to(x.dtype), last
    if torch.compiler.is_compiling():
        # Its operators are registered with torch when it is imported, which nobody needs who does not compile.
        from eventbench.layers._lif.compiled import compiled_lif

        return compiled_lif(x, v, neuron, rate, backend)
    engine = engine_of(backend)
    inputs = (x, rate.gain, v)
    if torch.is_grad_enabled() and any(isinstance(a, torch.Tensor) and a.requires_grad for a in inputs):
        tau = rate.tau.detach() if isinstance(rate.tau, torch.Tensor) else rate.tau
        fused: tuple[torch.Tensor, torch.Tensor] = _FusedLIF.apply(x, rate.gain, v, tau, neuron, engine)  # type: ignore[no-untyped-call]
        return fused
    out, last, _ = forward_pass(x, v, neuron, rate, engine, keep=False)
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
        out, last, h = forward_pass(x, v, neuron, Rate(gain, tau), engine, keep=True)
        ctx.neuron, ctx.engine, ctx.shape = neuron, engine, x.shape
        ctx.dtype, ctx.device = x.dtype, x.device
        ctx.fixed_rate = None if isinstance(gain, torch.Tensor) else (gain, tau)
        # The membrane it started from enters the gradient of tau alone, and so do those of a readout, which is linear.
        learned = ctx.needs_input_grad[1]
        membranes = h if learned or neuron.surrogate != MEMBRANE else None
        ctx.save_for_backward(membranes, v if learned else None, *(() if ctx.fixed_rate else (gain, tau)))
        ctx.set_materialize_grads(False)
        return out, last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        h, v, *tensor_rate = ctx.saved_tensors
        grad_out, grad_last = grads
        if grad_out is None:
            grad_out = torch.zeros((), dtype=ctx.dtype, device=ctx.device).expand(ctx.shape)
        rate, learned = Rate(*(ctx.fixed_rate or tensor_rate)), ctx.needs_input_grad[1]
        grad_x, grad_v, grad_gain = backward_pass(
            grad_out, grad_last, h, v, ctx.neuron, rate, ctx.engine, learned
        )
        return grad_x, grad_gain, grad_v if ctx.needs_input_grad[2] else None, None, None, None
