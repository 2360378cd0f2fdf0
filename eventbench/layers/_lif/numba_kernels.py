"""Numba kernels for LIF over all steps in one pass, over (T, M) arrays: T steps of M neurons side by side in memory.

The arithmetic and its order are those of Norse's `lif_box_feed_forward_step` followed by the reset, so spikes are
bit-identical. There is no fastmath, since fused or reordered operations would move neurons across the threshold.
Constants come in an array of the input's dtype, since a literal would promote float32 to float64.

`error_model="numpy"` leaves out the test for a division by zero, which would prevent vector instructions.

The outer loop is over time, the inner one over a block of neurons: the block's membranes stay in the nearest cache, the
inner loop is vectorised, and a row of a block, 16 KiB, is long enough for memory prefetching. Each inner loop touches
few arrays: with more, LLVM can no longer prove that they do not overlap and computes one neuron at a time. Neurons are
independent, so any split into ranges that start at multiples of BLOCK gives the same bits.

Neuron m has the time constants of channel (m // inner) % C.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from eventbench.layers._lif.neuron import Neuron

BLOCK = 4096


def constants(neuron: Neuron, dtype: np.dtype) -> np.ndarray:
    """The constants that the kernels unpack, rounded once to their dtype, as torch rounds scalars.

    Both kinds of reset share one formula with different coefficients. After a spike the membrane is `slope` h +
    `shift`. Its gradient passes the reset unchanged where h is at most `cut`; through the spike in the reset it is
    multiplied by `by_h` h + `by_one`. The last constant is the neuron's `silent_up_to`; surrogates and resets use the
    threshold itself.
    """
    slope, shift = (1.0, -neuron.threshold) if neuron.subtract else (0.0, neuron.leak)
    silent = neuron.silent_up_to(dtype)
    cut = math.inf if neuron.subtract else silent
    by_h, by_one = (0.0, 0.0) if neuron.detach_reset else (slope - 1.0, shift)
    alpha = neuron.alpha
    curve = [alpha, alpha / 2, math.pi / 2 * alpha]
    return np.array(
        [neuron.threshold, neuron.leak, slope, shift, cut, by_h, by_one, *curve, 0.0, 1.0, silent], dtype
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _spread(values, out, first, n, inner):
    """Fill `out` with the time constants of the block, one per neuron."""
    if len(values) == 1:
        out[:n] = values[0]
    else:
        for i in range(n):
            out[i] = values[((first + i) // inner) % len(values)]


@njit(cache=True, nogil=True, error_model="numpy")
def forward(x, spikes, h, v, keep_membranes, gains, scales, inner, c, start, stop):
    """Fill `spikes` (T, M) for neurons start..stop and, if `keep_membranes`, the membranes before reset `h` (T, M).

    `v` (M) is the initial membrane on entry and the membrane after the last reset on return. Returns False if one of
    the latter is not finite: a membrane stays NaN or infinite once it is, so the last step is enough.
    """
    leak, slope, shift, zero, one, silent = c[1], c[2], c[3], c[10], c[11], c[12]
    shared_rate = len(gains) == 1
    gain, scale = gains[0], scales[0]
    gain_of, scale_of, scratch = np.empty(BLOCK, x.dtype), np.empty(BLOCK, x.dtype), np.empty(BLOCK, x.dtype)
    finite = True
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        n = last - first
        vb = v[first:last]
        if not shared_rate:
            _spread(gains, gain_of, first, n, inner)
            _spread(scales, scale_of, first, n, inner)
        for t in range(x.shape[0]):
            xt, st = x[t, first:last], spikes[t, first:last]
            ht = h[t, first:last] if keep_membranes else scratch[:n]
            if shared_rate:
                for i in range(n):
                    u = vb[i] + gain * ((xt[i] * scale + leak) - vb[i])
                    z = one if u - silent > zero else zero
                    ht[i] = u
                    st[i] = z
                    vb[i] = (one - z) * u + z * (u * slope + shift)
            else:
                for i in range(n):
                    ht[i] = vb[i] + gain_of[i] * ((xt[i] * scale_of[i] + leak) - vb[i])
                for i in range(n):
                    u = ht[i]
                    z = one if u - silent > zero else zero
                    st[i] = z
                    vb[i] = (one - z) * u + z * (u * slope + shift)
        for i in range(n):
            finite &= vb[i] - vb[i] == zero
    return finite


@njit(cache=True, nogil=True, error_model="numpy")
def slopes_at(h, out, code, c):  # noqa: C901  # one branch per surrogate
    """Fill `out` with the derivative of a spike at membranes h, by the surrogate's code."""
    threshold, alpha, half_alpha, width, zero, one = c[0], c[7], c[8], c[9], c[10], c[11]
    n = len(h)
    if code == 0:
        for i in range(n):
            u = width * (h[i] - threshold)
            out[i] = half_alpha / (one + u * u)
    elif code == 1:
        for i in range(n):
            e = np.exp(-alpha * abs(h[i] - threshold))
            out[i] = alpha * e / ((one + e) * (one + e))
    elif code == 3:
        # 1 − tanh² as 1/cosh² with one exponential: tanh itself is eight times slower here.
        for i in range(n):
            e = np.exp(-(alpha + alpha) * abs(h[i] - threshold))
            out[i] = (one + one) * (one + one) * e / ((one + e) * (one + e))
    elif code == 4:
        for i in range(n):
            u = one - abs(h[i] - threshold)
            out[i] = alpha * (u if u > zero else zero)
    elif code == 6:
        out[:n] = one
    else:
        steep = alpha if code == 5 else one
        for i in range(n):
            u = steep * abs(h[i] - threshold) + one
            out[i] = one / (u * u)


@njit(cache=True, nogil=True, error_model="numpy")
def backward(grad_spikes, h, grad_x, gv, v0, grad_gain, gains, scales, inner, c, code, decay, start, stop):
    """Fill `grad_x` (T, M) for neurons start..stop from the saved membranes, last step first.

    `gv` (M) is the gradient of the last membrane after reset on entry, and that of the initial membrane `v0` on return;
    `gh` is the gradient of the membrane before reset. `grad_gain` (M), unless empty, gets each neuron's gradient of
    1/tau.
    """
    cut, by_h, by_one, zero = c[4], c[5], c[6], c[10]
    learned = len(grad_gain) > 0
    shared_rate = len(gains) == 1 and not learned
    gain, scale = gains[0], scales[0]
    gain_of, scale_of, gh = np.empty(BLOCK, h.dtype), np.empty(BLOCK, h.dtype), np.empty(BLOCK, h.dtype)
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        n = last - first
        gb = gv[first:last]
        if not shared_rate:
            _spread(gains, gain_of, first, n, inner)
            _spread(scales, scale_of, first, n, inner)
        for t in range(h.shape[0] - 1, -1, -1):
            gt, ht, xt = grad_spikes[t, first:last], h[t, first:last], grad_x[t, first:last]
            slopes_at(ht, gh, code, c)
            if shared_rate:
                for i in range(n):
                    past_reset = gb[i] if not ht[i] - cut > zero else zero
                    g = past_reset + (gt[i] + gb[i] * (by_h * ht[i] + by_one)) * gh[i]
                    gx = g * gain
                    gb[i] = g - gx
                    xt[i] = gx * scale
            else:
                for i in range(n):
                    past_reset = gb[i] if not ht[i] - cut > zero else zero
                    gh[i] = past_reset + (gt[i] + gb[i] * (by_h * ht[i] + by_one)) * gh[i]
                for i in range(n):
                    gx = gh[i] * gain_of[i]
                    gb[i] = gh[i] - gx
                    xt[i] = gx * scale_of[i]
            if learned:
                membrane_before = v0[first:last] if t == 0 else h[t - 1, first:last]
                _add_gain(grad_gain[first:last], gh, ht, membrane_before, t > 0, decay, c)
        if learned and decay:
            grad_gain[first:last] /= gain_of[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def _add_gain(out, gh, h, before, resets, decay, c):
    """Add gh · dh/d(1/tau) to `out`. With decayed input, dh/d(1/tau) is (h − v) tau, and the caller multiplies by tau.

    Without, it is leak − v. `before` is v, the membrane that this step started from; with `resets`, it is that membrane
    before the reset of the previous step.
    """
    leak, slope, shift = c[1], c[2], c[3]
    silent = c[12] if resets else np.inf
    for i in range(len(out)):
        u = before[i]
        v = u * slope + shift if u > silent else u
        out[i] += gh[i] * ((h[i] if decay else leak) - v)
