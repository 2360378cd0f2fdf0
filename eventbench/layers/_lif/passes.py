"""The forward and backward pass of the fused LIF: turns tensors (T, N, ...) into rows (T, M) for an engine."""

from __future__ import annotations

import torch

from eventbench.layers._lif.engine import BackwardRows, Dynamics, Engine, ForwardRows, NotFinite
from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.memory_order import Layout
from eventbench.layers._lif.neuron import MEMBRANE, Neuron, compute_dtype


def forward_pass(
    x: torch.Tensor, v: torch.Tensor | None, neuron: Neuron, rate: Rate, engine: Engine, keep_membranes: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """The output, the last membrane and, if `keep_membranes`, the membranes before reset, in the layout of the output."""
    layout, dtype = Layout.of(x), compute_dtype(x.dtype)
    out = layout.empty(x.dtype, x.device)
    last = layout.full_step(dtype, x.device, neuron.leak if v is None else v.detach())
    h, spikes = None, layout.rows(out)
    if neuron.surrogate == MEMBRANE:
        h, spikes = out if x.dtype == dtype else layout.empty(dtype, x.device), torch.empty_like(spikes)
    elif keep_membranes:
        h = layout.empty(dtype, x.device)
    membranes = None if h is None else layout.rows(h)
    rows = ForwardRows(layout.rows(x.detach()), spikes, membranes, layout.row(last))
    if x.numel() and not engine.forward(rows, Dynamics(neuron, rate, layout.inner)):
        raise NotFinite
    if neuron.surrogate == MEMBRANE and h is not None and h is not out:
        out.copy_(h)
    return out, last, h


def backward_pass(
    grad_out: torch.Tensor,
    grad_last: torch.Tensor | None,
    h: torch.Tensor | None,
    v: torch.Tensor | None,
    neuron: Neuron,
    rate: Rate,
    engine: Engine,
    learned: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """The gradients of the currents, of the initial membrane and, if it is `learned`, of 1/tau.

    `h` may be None for a readout, whose gradients do not depend on its membranes.
    """
    dtype, device = compute_dtype(grad_out.dtype), grad_out.device
    layout = Layout.of(grad_out if h is None else h)
    grad_x = layout.empty(grad_out.dtype, device)
    grad_v = layout.full_step(dtype, device, 0.0 if grad_last is None else grad_last)
    start = layout.full_step(dtype, device, neuron.leak if v is None else v)
    grad_gain = layout.full_step(dtype, device, 0.0) if learned else None
    if grad_out.numel():
        grad_spikes = layout.rows(grad_out)
        rows = BackwardRows(
            grad_spikes=grad_spikes,
            membranes=grad_spikes.to(dtype) if h is None else layout.rows(h),
            grad_currents=layout.rows(grad_x),
            grad_membrane=layout.row(grad_v),
            start=layout.row(start),
            grad_gain=None if grad_gain is None else layout.row(grad_gain),
        )
        engine.backward(rows, Dynamics(neuron, rate, layout.inner))
    if grad_gain is None or not isinstance(rate.gain, torch.Tensor):
        return grad_x, grad_v, None
    return grad_x, grad_v, _summed_to(rate.gain, grad_gain)


def _summed_to(gain: torch.Tensor, grads: torch.Tensor) -> torch.Tensor:
    """The gradient of 1/tau of each neuron (N, C, ...), summed to the shape of `gain`, () or (C,)."""
    axes = [axis for axis in range(grads.ndim) if not gain.ndim or axis != 1]
    # In float64, since a sum of a million float32 terms would lose three digits.
    return grads.double().sum(axes).to(gain.dtype) if axes else grads.to(gain.dtype)
