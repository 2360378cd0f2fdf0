"""LIF over all steps in one pass: Numba kernels over (T, M) arrays, T steps of M neurons side by side in memory.

The arithmetic and its order are those of Norse's `lif_box_feed_forward_step` followed by our reset, so spikes
are the same bits; no fastmath, since fused or reordered operations would move neurons across the threshold.
Every constant comes in an array of the input's dtype: a bare literal would lift float32 work to float64.

`error_model="numpy"` lets a division be a vector instruction, where a test for zero would not.

Time is the loop outside and a block of neurons the loop inside: the block's membranes stay in the first-level
cache and the inner loop becomes vector instructions. Neurons do not meet, so any split into ranges that start
at multiples of BLOCK gives the same bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 1024
SLOPE_CODES = {"atan": 0, "sigmoid": 1, "super": 2, "tanh": 3, "triangle": 4}


def constants(
    tau: float, threshold: float, leak: float, alpha: float, decay_input: bool, dtype: np.dtype
) -> np.ndarray:
    """The numbers that both kernels unpack, rounded once to the dtype they work in, as torch rounds scalars."""
    scale = 1.0 if decay_input else tau
    return np.array([1 / tau, scale, threshold, leak, alpha, alpha / 2, np.pi / 2 * alpha, 0.0, 1.0], dtype)


@njit(cache=True, nogil=True, error_model="numpy")
def forward(x, spikes, h, keep, c, subtract, start, stop):
    """Fill `spikes` (T, M) for neurons start..stop and, when `keep`, the membranes before reset `h` (T, M)."""
    gain, scale, threshold, leak, zero, one = c[0], c[1], c[2], c[3], c[7], c[8]
    v = np.empty(BLOCK, x.dtype)
    scratch = np.empty(BLOCK, x.dtype)
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        n = last - first
        v[:] = leak
        for t in range(x.shape[0]):
            xt, st = x[t, first:last], spikes[t, first:last]
            ht = h[t, first:last] if keep else scratch[:n]
            if subtract:
                for i in range(n):
                    u = v[i] + gain * ((xt[i] * scale + leak) - v[i])
                    z = one if u - threshold > zero else zero
                    ht[i] = u
                    st[i] = z
                    v[i] = (one - z) * u + z * (u - threshold)
            else:
                for i in range(n):
                    u = v[i] + gain * ((xt[i] * scale + leak) - v[i])
                    z = one if u - threshold > zero else zero
                    ht[i] = u
                    st[i] = z
                    v[i] = (one - z) * u + z * leak


@njit(cache=True, nogil=True, error_model="numpy")
def _slopes(h, out, code, c):
    threshold, alpha, half_alpha, width, zero, one = c[2], c[4], c[5], c[6], c[7], c[8]
    n = len(h)
    if code == 0:
        for i in range(n):
            u = width * (h[i] - threshold)
            out[i] = half_alpha / (one + u * u)
    elif code == 1:
        for i in range(n):
            e = np.exp(-alpha * abs(h[i] - threshold))
            out[i] = alpha * e / ((one + e) * (one + e))
    elif code == 2:
        for i in range(n):
            u = abs(h[i] - threshold) + one
            out[i] = one / (u * u)
    elif code == 3:
        # 1 − tanh² as 1/cosh², by one exponential: tanh itself is eight times as slow here.
        for i in range(n):
            e = np.exp(-(alpha + alpha) * abs(h[i] - threshold))
            out[i] = (one + one) * (one + one) * e / ((one + e) * (one + e))
    else:
        for i in range(n):
            u = one - abs(h[i] - threshold)
            out[i] = alpha * (u if u > zero else zero)


@njit(cache=True, nogil=True, error_model="numpy")
def backward(grad_spikes, h, grad_x, c, code, subtract, through_reset, start, stop):
    """Fill `grad_x` (T, M) for neurons start..stop from the kept membranes, last step first.

    gv is the gradient at the membrane after reset, gh at the one before; `through_reset` adds the path by
    which the spike moves the membrane (absent when the reset is detached).
    """
    gain, scale, threshold, leak, zero = c[0], c[1], c[2], c[3], c[7]
    gv = np.empty(BLOCK, h.dtype)
    slope = np.empty(BLOCK, h.dtype)
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        n = last - first
        gv[:] = zero
        for t in range(h.shape[0] - 1, -1, -1):
            gt, ht, xt = grad_spikes[t, first:last], h[t, first:last], grad_x[t, first:last]
            _slopes(ht, slope, code, c)
            if subtract:
                back = threshold if through_reset else zero
                for i in range(n):
                    gh = gv[i] + (gt[i] - gv[i] * back) * slope[i]
                    gx = gh * gain
                    gv[i] = gh - gx
                    xt[i] = gx * scale
            elif through_reset:
                for i in range(n):
                    kept = gv[i] if not ht[i] - threshold > zero else zero
                    gh = kept + (gt[i] + gv[i] * (leak - ht[i])) * slope[i]
                    gx = gh * gain
                    gv[i] = gh - gx
                    xt[i] = gx * scale
            else:
                for i in range(n):
                    kept = gv[i] if not ht[i] - threshold > zero else zero
                    gh = kept + gt[i] * slope[i]
                    gx = gh * gain
                    gv[i] = gh - gx
                    xt[i] = gx * scale
