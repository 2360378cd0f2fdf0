"""LIF over all time steps as one differentiable operation, for any engine that computes rows (T, M).

Only the membrane before reset is saved for the backward pass, one tensor of the input's size; a loop of torch
operations saves three. Spikes are recomputed from it.
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
    """(T, N, ...) currents -> ((T, N, ...) spikes, (N, ...) membrane after the last reset), in the memory layout of x.

    If the neuron's surrogate is MEMBRANE, the first output is the membranes instead of spikes. Raises NotFinite if the
    engine finds a NaN or infinite membrane.
    """
    dtype = compute_dtype(x.dtype)
    if backend == "numba" and x.dtype != dtype:
        out, last = fused_lif(x.to(dtype), v, neuron, rate, backend)
        return out.to(x.dtype), last
    if torch.compiler.is_compiling():
        # Imported only here, since the import registers operators with torch that are needed under torch.compile only.
        from eventbench.layers._lif.compiled import compiled_lif

        return compiled_lif(x, v, neuron, rate, backend)
    engine = engine_of(backend)
    inputs = (x, rate.gain, v)
    if torch.is_grad_enabled() and any(
        isinstance(value, torch.Tensor) and value.requires_grad for value in inputs
    ):
        tau = rate.tau.detach() if isinstance(rate.tau, torch.Tensor) else rate.tau
        fused: tuple[torch.Tensor, torch.Tensor] = _FusedLIF.apply(x, rate.gain, v, tau, neuron, engine)  # type: ignore[no-untyped-call]
        return fused
    out, last, _ = forward_pass(x, v, neuron, rate, engine, keep_membranes=False)
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
        out, last, h = forward_pass(x, v, neuron, Rate(gain, tau), engine, keep_membranes=True)
        ctx.neuron, ctx.engine, ctx.shape = neuron, engine, x.shape
        ctx.dtype, ctx.device = x.dtype, x.device
        ctx.fixed_rate = None if isinstance(gain, torch.Tensor) else (gain, tau)
        # Only the gradient of tau needs the initial membrane and, for a readout, which is linear, the other membranes.
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
