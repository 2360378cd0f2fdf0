"""The reference backend of LIF and LI: a loop over Norse's step. All other backends must give the same results."""

from __future__ import annotations

from functools import partial

import torch

from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.neuron import Neuron, compute_dtype
from eventbench.layers._lif.norse_step import (
    LIBoxParameters,
    LIBoxState,
    LIFBoxFeedForwardState,
    LIFBoxParameters,
    li_box_feed_forward_step,
    lif_box_feed_forward_step,
    reset_subtract,
    reset_value,
)
from eventbench.layers.surrogate import SLOPES, spike_slope


def _no_reset(_spikes: torch.Tensor, h: torch.Tensor, _value: float, _threshold: float) -> torch.Tensor:
    return h


def _reset(
    neuron: Neuron, spikes: torch.Tensor, h: torch.Tensor, value: float, threshold: float
) -> torch.Tensor:
    """Membranes after reset, from membranes `h` before it."""
    rule = reset_subtract if neuron.subtract else reset_value
    membranes: torch.Tensor = rule(spikes.detach() if neuron.detach_reset else spikes, h, value, threshold)
    return membranes


def step_parameters(neuron: Neuron, gain: float | torch.Tensor) -> LIFBoxParameters:
    """Norse's parameters of `neuron` for dt = 1; `gain` is 1/tau, a number or broadcastable to (N, ...)."""
    # `step` computes the reset itself where it changes Norse's spikes or their slope.
    own_reset = neuron.surrogate in SLOPES or neuron.fires_on_ties
    return LIFBoxParameters(
        tau_mem_inv=gain,
        v_leak=neuron.leak,
        v_th=neuron.threshold,
        v_reset=neuron.leak,
        method="heaviside" if neuron.surrogate in SLOPES else neuron.surrogate,
        alpha=neuron.alpha,
        reset_method=_no_reset if own_reset else partial(_reset, neuron),
    )


def step(
    current: torch.Tensor, v: torch.Tensor, neuron: Neuron, p: LIFBoxParameters
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of Norse's LIF box with any surrogate of `surrogate.py` and either rule: (spikes, membrane after reset)."""
    z, state = lif_box_feed_forward_step(current, LIFBoxFeedForwardState(v=v), p, dt=1.0)
    if neuron.fires_on_ties:
        # Norse fires above the threshold. Ties, where its spikes are 0, are added; the surrogate's slope stays.
        z = z + (state.v - neuron.threshold == 0).to(z.dtype)
    elif neuron.surrogate not in SLOPES:
        return z, state.v
    # `step_parameters` has set `_no_reset`, so that the slope is attached to the spikes before the reset uses them.
    if neuron.surrogate in SLOPES:
        z = spike_slope(state.v - neuron.threshold, z, neuron.surrogate, neuron.alpha)
    return z, _reset(neuron, z, state.v, neuron.leak, neuron.threshold)


def norse_lif(
    x: torch.Tensor, v: torch.Tensor | None, neuron: Neuron, rate: Rate
) -> tuple[torch.Tensor, torch.Tensor]:
    """(T, N, ...) currents -> ((T, N, ...) spikes, (N, ...) membrane after the last reset)."""
    currents = x.to(compute_dtype(x.dtype))
    rate = rate.over(x.ndim)
    p = step_parameters(neuron, rate.gain)
    v = torch.full_like(currents[0], neuron.leak) if v is None else v
    spikes = []
    # unbind, since x[t] in a loop would write a full gradient of shape (T, ...) at each step.
    for current in (currents if neuron.decay_input else rate.tau * currents).unbind(0):
        z, v = step(current, v, neuron, p)
        spikes.append(z)
    return torch.stack(spikes).to(x.dtype), v


def norse_li(
    x: torch.Tensor, v: torch.Tensor | None, neuron: Neuron, rate: Rate
) -> tuple[torch.Tensor, torch.Tensor]:
    """(T, N, ...) currents -> ((T, N, ...) membranes, the last of them), by Norse's leaky integrator without current."""
    currents = x.to(compute_dtype(x.dtype))
    rate = rate.over(x.ndim)
    p = LIBoxParameters(tau_mem_inv=rate.gain, v_leak=neuron.leak)
    state = LIBoxState(torch.full_like(currents[0], neuron.leak) if v is None else v)
    membranes = []
    for current in (currents if neuron.decay_input else rate.tau * currents).unbind(0):
        membrane, state = li_box_feed_forward_step(current, state, p, dt=1.0)
        membranes.append(membrane)
    return torch.stack(membranes).to(x.dtype), state.v
