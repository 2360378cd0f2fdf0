"""Triton kernels for LIF over all steps in one pass on CUDA: one program per block of neurons, T steps in registers.

Forward reads x and writes spikes and, if a backward pass may follow, the membranes before reset. Backward reads these
and the gradient of the spikes and writes the gradient of x. Nothing else of size (T, M) is moved, and the next step is
loaded while this one is computed. bfloat16 and float16 are loaded as such and integrated in float32. Multiplications
and additions are not fused, so that spikes are bit-identical to Norse's. Constants are made in the dtype of the
computation, since Triton takes a literal in a variable of its own for a float32.

The gradient of 1/tau is summed over time within each neuron, then over neurons by torch: without atomics, so two runs
give the same bits.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl

from eventbench.layers._lif.engine import BackwardRows, Dynamics, ForwardRows
from eventbench.layers._lif.neuron import SLOPE_CODES, compute_dtype

COMPUTE = {torch.float64: tl.float64, torch.float32: tl.float32}

# Loads do not wait for the previous step, so threads with four neurons each saturate the memory bus.
LARGE_BLOCK, SMALL_BLOCK, LARGE = 512, 128, 1 << 17


@triton.jit
def _slope(u, CODE: tl.constexpr, ALPHA: tl.constexpr, HALF_ALPHA: tl.constexpr, WIDTH: tl.constexpr):
    if CODE == 0:
        w = u * WIDTH
        slope = HALF_ALPHA / (w * w + 1.0)
    elif CODE == 1:
        e = tl.exp(tl.abs(u) * -ALPHA)
        slope = e * ALPHA / ((e + 1.0) * (e + 1.0))
    elif CODE == 2:
        w = tl.abs(u) + 1.0
        slope = 1.0 / (w * w)
    elif CODE == 3:
        e = tl.exp(tl.abs(u) * (-2.0 * ALPHA))
        slope = e * 4.0 / ((e + 1.0) * (e + 1.0))
    elif CODE == 4:
        slope = tl.maximum(1.0 - tl.abs(u), 0.0) * ALPHA
    elif CODE == 6:
        slope = tl.full(u.shape, 1.0, u.dtype)
    else:
        w = tl.abs(u) * ALPHA + 1.0
        slope = 1.0 / (w * w)
    return slope


@triton.jit
def _rates(
    m, inside, gain_ptr, tau_ptr, C, inner,
    GAIN: tl.constexpr, TAU: tl.constexpr, LOAD_RATE: tl.constexpr, DTYPE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """1/tau and tau of neurons m: constants, or loaded by channel."""
    gain = tl.full((BLOCK,), GAIN, DTYPE)
    tau = tl.full((BLOCK,), TAU, DTYPE)
    if LOAD_RATE:
        gain = tl.load(gain_ptr + (m // inner) % C, mask=inside, other=1.0)
        tau = tl.load(tau_ptr + (m // inner) % C, mask=inside, other=1.0)
    return gain, tau


@triton.jit
def _forward(
    x_ptr, s_ptr, h_ptr, v_ptr, T, M, gain_ptr, tau_ptr, C, inner,
    GAIN: tl.constexpr, TAU: tl.constexpr, LOAD_RATE: tl.constexpr, DECAY: tl.constexpr,
    THRESHOLD: tl.constexpr, SILENT: tl.constexpr, LEAK: tl.constexpr, SUBTRACT: tl.constexpr, KEEP: tl.constexpr,
    DTYPE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    m = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = m < M
    gain, tau = _rates(m, inside, gain_ptr, tau_ptr, C, inner, GAIN, TAU, LOAD_RATE, DTYPE, BLOCK)
    threshold = tl.full((BLOCK,), THRESHOLD, DTYPE)
    silent = tl.full((BLOCK,), SILENT, DTYPE)
    leak = tl.full((BLOCK,), LEAK, DTYPE)
    v = tl.load(v_ptr + m, mask=inside, other=0.0)
    x_ptr += m
    s_ptr += m
    h_ptr += m
    x = tl.load(x_ptr, mask=inside, other=0.0)
    for t in range(T):
        current = x.to(DTYPE)
        x_ptr += M
        x = tl.load(x_ptr, mask=m < tl.where(t + 1 < T, M, 0), other=0.0)
        if not DECAY:
            current = current * tau
        h = v + gain * ((current + leak) - v)
        z = tl.where(h > silent, 1.0, 0.0).to(DTYPE)
        # h - h is 0 for a finite h, NaN for NaN and infinity, which would otherwise look like no spike.
        tl.store(s_ptr, (z + (h - h)).to(s_ptr.dtype.element_ty), mask=inside)
        s_ptr += M
        if KEEP:
            tl.store(h_ptr, h, mask=inside)
            h_ptr += M
        after = h - threshold if SUBTRACT else leak
        v = (1.0 - z) * h + z * after
    tl.store(v_ptr + m, v, mask=inside)


@triton.jit
def _gradient_at_membrane(
    g, gv, h, fired, slope, threshold, leak, SUBTRACT: tl.constexpr, THROUGH: tl.constexpr
):
    """The gradient of the membrane before reset, from those of the spike, `g`, and of the membrane after reset, `gv`."""
    if SUBTRACT:
        past_reset = gv
        through_reset = gv * -threshold
    else:
        past_reset = tl.where(fired, 0.0, gv)
        through_reset = gv * (leak - h)
    return past_reset + (g + through_reset if THROUGH else g) * slope


@triton.jit
def _backward(
    g_ptr, h_ptr, gx_ptr, gv_ptr, v0_ptr, gg_ptr, T, M, gain_ptr, tau_ptr, C, inner,
    GAIN: tl.constexpr, TAU: tl.constexpr, LOAD_RATE: tl.constexpr, LEARNED: tl.constexpr, DECAY: tl.constexpr,
    THRESHOLD: tl.constexpr, SILENT: tl.constexpr, LEAK: tl.constexpr, SUBTRACT: tl.constexpr,
    THROUGH: tl.constexpr,
    CODE: tl.constexpr, ALPHA: tl.constexpr, HALF_ALPHA: tl.constexpr, WIDTH: tl.constexpr,
    DTYPE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    m = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = m < M
    gain, tau = _rates(m, inside, gain_ptr, tau_ptr, C, inner, GAIN, TAU, LOAD_RATE, DTYPE, BLOCK)
    threshold = tl.full((BLOCK,), THRESHOLD, DTYPE)
    silent = tl.full((BLOCK,), SILENT, DTYPE)
    leak = tl.full((BLOCK,), LEAK, DTYPE)
    gv = tl.load(gv_ptr + m, mask=inside, other=0.0)
    gg = tl.zeros((BLOCK,), DTYPE)
    last = m + tl.full((), M, tl.int64) * (T - 1)
    g_ptr += last
    h_ptr += last
    gx_ptr += last
    next_h = tl.load(h_ptr, mask=inside, other=0.0)
    next_g = tl.load(g_ptr, mask=inside, other=0.0)
    for i in range(T):
        h = next_h
        g = next_g.to(DTYPE)
        h_ptr -= M
        g_ptr -= M
        has_next = m < tl.where(i + 1 < T, M, 0)
        next_h = tl.load(h_ptr, mask=has_next, other=0.0)
        next_g = tl.load(g_ptr, mask=has_next, other=0.0)
        u = h - threshold
        slope = _slope(u, CODE, ALPHA, HALF_ALPHA, WIDTH)
        gh = _gradient_at_membrane(g, gv, h, h > silent, slope, threshold, leak, SUBTRACT, THROUGH)
        if LEARNED:
            start = tl.load(v0_ptr + m, mask=m < tl.where(i + 1 < T, 0, M), other=0.0)
            after_reset = tl.where(next_h > silent, next_h - threshold if SUBTRACT else leak, next_h)
            v_before = tl.where(i + 1 < T, after_reset, start)
            gg += gh * ((h if DECAY else leak) - v_before)
        grad_x = gh * gain
        gv = gh - grad_x
        if not DECAY:
            grad_x = grad_x * tau
        tl.store(gx_ptr, grad_x.to(gx_ptr.dtype.element_ty), mask=inside)
        gx_ptr -= M
    tl.store(gv_ptr + m, gv, mask=inside)
    if LEARNED:
        if DECAY:
            gg = gg / gain
        tl.store(gg_ptr + m, gg, mask=inside)


def on_device(x: torch.Tensor) -> AbstractContextManager[Any]:
    """Makes the device of x current: Triton launches on the current device, wherever its arguments are."""
    return torch.cuda.device(x.device) if x.is_cuda else nullcontext()


def _launch(kernel: Any, rows: torch.Tensor, *pointers: torch.Tensor, **constants: Any) -> None:
    T, M = rows.shape
    block = LARGE_BLOCK if M >= LARGE else SMALL_BLOCK
    with on_device(rows):
        kernel[(triton.cdiv(M, block),)](
            *pointers, T, M, BLOCK=block, num_warps=4, enable_fp_fusion=False, **constants
        )


def _shared(dynamics: Dynamics, dtype: torch.dtype, placeholder: torch.Tensor) -> dict[str, Any]:
    """The keyword arguments of both kernels; `placeholder` is passed for pointers that are not read."""
    neuron, (gain, tau) = dynamics.neuron, dynamics.rate
    load_rate = isinstance(gain, torch.Tensor)
    gains = gain.detach().contiguous() if isinstance(gain, torch.Tensor) else placeholder
    taus = tau.detach().contiguous() if isinstance(tau, torch.Tensor) else placeholder
    return {
        "gain_ptr": gains,
        "tau_ptr": taus,
        "C": gains.numel() if load_rate else 1,
        "inner": max(dynamics.inner, 1),
        "GAIN": 1.0 if load_rate else gain,
        "TAU": 1.0 if load_rate else tau,
        "LOAD_RATE": load_rate,
        "DECAY": neuron.decay_input,
        "THRESHOLD": neuron.threshold,
        "SILENT": neuron.silent_up_to(np.dtype(str(dtype).removeprefix("torch."))),
        "LEAK": neuron.leak,
        "SUBTRACT": neuron.subtract,
        "DTYPE": COMPUTE[dtype],
    }


def forward(rows: ForwardRows, dynamics: Dynamics) -> bool:
    """Implements `Engine.forward`, but always returns True: a check would wait for the device. NaN comes out as NaN."""
    currents, spikes, h, v = rows
    shared = _shared(dynamics, compute_dtype(currents.dtype), v)
    _launch(_forward, currents, currents, spikes, v if h is None else h, v, **shared, KEEP=h is not None)
    return True


def backward(rows: BackwardRows, dynamics: Dynamics) -> None:
    """Implements `Engine.backward`."""
    neuron, membranes, placeholder = dynamics.neuron, rows.membranes, rows.grad_membrane
    _launch(
        _backward,
        membranes,
        rows.grad_spikes,
        membranes,
        rows.grad_currents,
        rows.grad_membrane,
        rows.start,
        placeholder if rows.grad_gain is None else rows.grad_gain,
        **_shared(dynamics, membranes.dtype, placeholder),
        LEARNED=rows.grad_gain is not None,
        THROUGH=not neuron.detach_reset,
        CODE=SLOPE_CODES[neuron.surrogate],
        ALPHA=neuron.alpha,
        HALF_ALPHA=neuron.alpha / 2,
        WIDTH=math.pi / 2 * neuron.alpha,
    )
