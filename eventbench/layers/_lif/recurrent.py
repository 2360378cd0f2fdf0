"""Recurrent LIF as one differentiable operation: LIF's kernels at each step, the weight's gradient in one product.

A loop of torch operations saves four tensors per step and adds up the weight's gradient T times. This saves only the
membrane before reset, from which spikes are recomputed, and multiplies once over all steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from eventbench.layers._lif.engine import BackwardRows, Dynamics, Engine, ForwardRows, NotFinite
from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.neuron import Neuron
from eventbench.layers._lif.norse_loop import step, step_parameters


class RecurrentState(NamedTuple):
    """The state of a recurrent layer between chunks: the last spikes and the membrane after reset, both (N, C)."""

    spikes: torch.Tensor
    v: torch.Tensor


def norse_recurrent(
    x: torch.Tensor, weight: torch.Tensor, state: RecurrentState, neuron: Neuron, rate: Rate
) -> tuple[torch.Tensor, RecurrentState]:
    """(T, N, C) currents -> ((T, N, C) spikes, state), by a loop over Norse's step. All tensors have one dtype."""
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
    x: torch.Tensor, weight: torch.Tensor, state: RecurrentState, neuron: Neuron, rate: Rate, engine: Engine
) -> tuple[torch.Tensor, RecurrentState]:
    """The same as `norse_recurrent`, by the engine's kernels. Raises NotFinite if a membrane is NaN or infinite."""
    tau = rate.tau.detach() if isinstance(rate.tau, torch.Tensor) else rate.tau
    spikes, v = _FusedRecurrent.apply(x, weight, rate.gain, *state, tau, neuron, engine)  # type: ignore[no-untyped-call]
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
        h, membrane, last_spikes = torch.empty_like(spikes), v.flatten().clone(), z
        dynamics = Dynamics(neuron, Rate(gain, tau), inner=1)
        for t in range(len(x) if x.numel() else 0):
            current = (x[t] + linear(last_spikes, weight)).view(1, -1)
            last_spikes = spikes[t]
            rows = ForwardRows(current, last_spikes.view(1, -1), h[t].view(1, -1), membrane)
            if not engine.forward(rows, dynamics):
                raise NotFinite
        ctx.neuron, ctx.engine = neuron, engine
        ctx.fixed_rate = None if isinstance(gain, torch.Tensor) else (gain, tau)
        ctx.save_for_backward(h, weight, z, v, *(() if ctx.fixed_rate else (gain, tau)))
        return spikes, membrane.view(v.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        h, weight, z, v, *tensor_rate = ctx.saved_tensors
        neuron, gain = ctx.neuron, (ctx.fixed_rate or tensor_rate)[0]
        dynamics = Dynamics(neuron, Rate(*(ctx.fixed_rate or tensor_rate)), inner=1)
        grad_spikes, grad_last = grads
        grad_currents, grad_v = torch.empty_like(h), grad_last.flatten().clone()
        learned = ctx.needs_input_grad[2]
        grad_gains = torch.zeros_like(v) if learned else None
        spikes = neuron.fired(h).to(h.dtype)
        grad_feedback: torch.Tensor | float = 0.0
        for t in range(len(h) - 1 if h.numel() else -1, -1, -1):
            start, step_gains = v, torch.zeros_like(grad_v) if learned else None
            if learned and t > 0:
                after_reset = h[t - 1] - neuron.threshold if neuron.subtract else neuron.leak
                start = torch.where(spikes[t - 1] > 0, after_reset, h[t - 1])
            grad_step = (grad_spikes[t] + grad_feedback).reshape(1, -1).contiguous()
            rows = BackwardRows(
                grad_step, h[t].view(1, -1), grad_currents[t].view(1, -1), grad_v, start.flatten(), step_gains
            )
            ctx.engine.backward(rows, dynamics)
            if grad_gains is not None and step_gains is not None:
                grad_gains += step_gains.view(v.shape)
            grad_feedback = grad_currents[t] @ weight
        spikes_before = torch.cat([z[None], spikes[:-1]])
        grad_weight = grad_currents.flatten(0, 1).T @ spikes_before.flatten(0, 1)
        grad_gain = None
        if grad_gains is not None:
            grad_gain = grad_gains.sum(0) if gain.ndim else grad_gains.sum()
        grad_z = grad_feedback if isinstance(grad_feedback, torch.Tensor) else torch.zeros_like(z)
        return grad_currents, grad_weight, grad_gain, grad_z, grad_v.view(v.shape), None, None, None
