"""Recurrent LIF as one differentiable operation: the kernels of LIF a step at a time, the weight's gradient in one product.

A loop of torch operations keeps four tensors a step and adds the weight's gradient up T times; this keeps the
membrane before reset, from which spikes are recomputed, and multiplies once over all steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.neuron import Neuron
from eventbench.layers._lif.norse_loop import step, step_parameters
from eventbench.layers._lif.passes import Engine, NotFinite


class RecurrentState(NamedTuple):
    """What a recurrent layer takes on to the next chunk: the last spikes and the membrane after reset, both (N, C)."""

    spikes: torch.Tensor
    v: torch.Tensor


def norse_recurrent(
    x: torch.Tensor, weight: torch.Tensor, rate: Rate, state: RecurrentState, neuron: Neuron
) -> tuple[torch.Tensor, RecurrentState]:
    """(T, N, C) currents -> ((T, N, C) spikes, state), by a loop over Norse's step; all in one dtype."""
    rate = rate.over(x.ndim)
    p = step_parameters(neuron, rate.gain)
    z, v = state
    spikes = []
    for current in x.unbind(0):
        current = current + linear(z, weight)
        z, v = step(current if neuron.decay_input else rate.tau * current, v, neuron, p)
        spikes.append(z)
    return torch.stack(spikes), RecurrentState(z, v)


def fused_recurrent(
    x: torch.Tensor, weight: torch.Tensor, rate: Rate, state: RecurrentState, neuron: Neuron, engine: Engine
) -> tuple[torch.Tensor, RecurrentState]:
    """As `norse_recurrent`, by the engine's kernels."""
    tau = rate.tau.detach() if isinstance(rate.tau, torch.Tensor) else rate.tau
    spikes, v = _FusedRecurrent.apply(x, weight, rate.gain, *state, tau, neuron, engine)
    return spikes, RecurrentState(spikes[-1], v)


class _FusedRecurrent(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        gain: float | torch.Tensor,
        z: torch.Tensor,
        v: torch.Tensor,
        tau: float | torch.Tensor,
        neuron: Neuron,
        engine: Engine,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        spikes = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        h, membrane, before = torch.empty_like(spikes), v.flatten().clone(), z
        for t in range(len(x) if x.numel() else 0):
            current = (x[t] + linear(before, weight)).view(1, -1)
            kept, before = h[t].view(1, -1), spikes[t]
            if not engine.forward(current, before.view(1, -1), kept, membrane, Rate(gain, tau), 1, neuron):
                raise NotFinite
        ctx.neuron, ctx.engine = neuron, engine
        ctx.fixed = None if isinstance(gain, torch.Tensor) else (gain, tau)
        ctx.save_for_backward(h, weight, z, v, *(() if ctx.fixed else (gain, tau)))
        return spikes, membrane.view(v.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        h, weight, z, v, *rates = ctx.saved_tensors
        rate, neuron, engine = Rate(*(ctx.fixed or rates)), ctx.neuron, ctx.engine
        at_spikes, at_last = grads
        at_current, grad_v = torch.empty_like(h), at_last.flatten().clone()
        learned = ctx.needs_input_grad[2]
        grad_gain = torch.zeros_like(v) if learned else None
        spikes = (h - neuron.threshold > 0).to(h.dtype)
        fed_back: torch.Tensor | float = 0.0
        for t in range(len(h) - 1 if h.numel() else -1, -1, -1):
            start, part = v, torch.zeros_like(grad_v) if learned else None
            if learned and t > 0:
                after = h[t - 1] - neuron.threshold if neuron.subtract else neuron.leak
                start = torch.where(spikes[t - 1] > 0, after, h[t - 1])
            engine.backward(
                (at_spikes[t] + fed_back).reshape(1, -1).contiguous(),
                h[t].view(1, -1),
                at_current[t].view(1, -1),
                grad_v,
                start.flatten(),
                part,
                rate,
                1,
                neuron,
            )
            if grad_gain is not None and part is not None:
                grad_gain += part.view(v.shape)
            fed_back = at_current[t] @ weight
        earlier = torch.cat([z[None], spikes[:-1]])
        at_weight = at_current.flatten(0, 1).T @ earlier.flatten(0, 1)
        at_gain = None
        if grad_gain is not None and isinstance(rate.gain, torch.Tensor):
            at_gain = grad_gain.sum(0) if rate.gain.ndim else grad_gain.sum()
        at_z = fed_back if isinstance(fed_back, torch.Tensor) else torch.zeros_like(z)
        return at_current, at_weight, at_gain, at_z, grad_v.view(v.shape), None, None, None
