"""Batch norm, LIF over all steps and a max pool of 2 x 2 in one pass: Numba kernels over channels-last arrays (T, M).

What a convolution gives is read once for the statistics, once on the way forward and twice on the way back; neither the
normalised currents nor the membranes nor, behind a pool, the spikes ever reach memory. A strip is what a core works on at
a time: one row of pixels, or two where they are pooled, cut off where T steps of it would leave the cache. Its membranes
are computed again on the way back, with the arithmetic and the order of `numba_kernels`, so they are the same bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.layers._lif.norm_statistics import fold, repeat
from eventbench.layers._lif.numba_kernels import slopes_at


@njit(cache=True, nogil=True, error_model="numpy")
def _strip(number, size, tall, wide):
    """Of strip `number`: its sample, first row and column, and how many rows and columns it has."""
    _, height, width, _ = size
    across, down = -(-width // wide), -(-height // tall)
    sample, rest = divmod(number, across * down)
    row, column = rest // across * tall, rest % across * wide
    return sample, row, column, min(tall, height - row), min(wide, width - column)


@njit(cache=True, nogil=True, error_model="numpy")
def _step(xs, a, b, v, u, gain, scale, leak):
    """Membranes before reset from currents a x + b."""
    for i in range(len(xs)):
        u[i] = xs[i] * a[i] + b[i]
    for i in range(len(xs)):
        u[i] = v[i] + gain * ((u[i] * scale + leak) - v[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _fire(u, v, spikes, c):
    """Spikes, and membranes after reset."""
    threshold, slope, shift, zero, one = c[0], c[2], c[3], c[10], c[11]
    for i in range(len(u)):
        z = one if u[i] - threshold > zero else zero
        spikes[i] = z
        v[i] = (one - z) * u[i] + z * (u[i] * slope + shift)


@njit(cache=True, nogil=True, error_model="numpy")
def _reset(u, v, c):
    """Membranes after reset: `_fire` without the spikes."""
    threshold, slope, shift, zero, one = c[0], c[2], c[3], c[10], c[11]
    for i in range(len(u)):
        z = one if u[i] - threshold > zero else zero
        v[i] = (one - z) * u[i] + z * (u[i] * slope + shift)


@njit(cache=True, nogil=True, error_model="numpy")
def forward(x, out, norm, rate, c, size, pooled, tall, wide, start, stop):
    """Fill `out` (T, N * Ho * Wo * C) for strips start..stop; False where a membrane is not finite.

    `norm` (2, C) holds the factor and the summand of each channel, `rate` 1/tau and what inputs are multiplied by.
    `size` is (N, H, W, C), `pooled` (Ho, Wo). A strip has `tall` rows, 1 where nothing is pooled, and `wide` columns.
    """
    gain, scale, leak, zero = rate[0], rate[1], c[1], c[10]
    _, height, width, channels = size
    out_height, out_width = pooled
    most = wide * channels
    a, b = np.empty(most, x.dtype), np.empty(most, x.dtype)
    repeat(norm[0], most, a)
    repeat(norm[1], most, b)
    u, v, spikes = np.empty(most, x.dtype), np.empty((2, most), x.dtype), np.empty((2, most), x.dtype)
    above = np.empty(most, x.dtype)
    finite = True
    for number in range(start, stop):
        sample, row, column, rows, columns = _strip(number, size, tall, wide)
        run = columns * channels
        v[:] = leak
        spikes[:] = 0
        for t in range(x.shape[0]):
            for r in range(rows):
                at = ((sample * height + row + r) * width + column) * channels
                _step(x[t, at : at + run], a, b, v[r], u, gain, scale, leak)
                to = out[t, at : at + run] if tall == 1 else spikes[r, :run]
                _fire(u[:run], v[r], to, c)
            if tall == 2 and row // 2 < out_height:
                upper, lower = spikes[0], spikes[1]
                for i in range(most):
                    above[i] = max(upper[i], lower[i])
                for j in range(min(-(-columns // 2), out_width - column // 2)):
                    left = above[2 * j * channels : (2 * j + 1) * channels]
                    right = above[(2 * j + 1) * channels : (2 * j + 2) * channels]
                    at = ((sample * out_height + row // 2) * out_width + column // 2 + j) * channels
                    to = out[t, at : at + channels]
                    for i in range(channels):
                        to[i] = max(left[i], right[i])
        for r in range(rows):
            for i in range(run):
                finite &= v[r, i] - v[r, i] == zero
    return finite


@njit(cache=True, nogil=True, error_model="numpy")
def _unpool(grads, h, out, channels, windows, threshold):
    """Each window's gradient to the first of its four that fired, or to the first where none did, as torch's pool does."""
    zero = threshold - threshold
    for j in range(windows):
        left, right, end = 2 * j * channels, (2 * j + 1) * channels, (2 * j + 2) * channels
        g = grads[j * channels : (j + 1) * channels]
        h00, h01, h10, h11 = h[0, left:right], h[0, right:end], h[1, left:right], h[1, right:end]
        to = out[0, left:right]
        for i in range(channels):
            later = h01[i] > threshold or h10[i] > threshold or h11[i] > threshold
            to[i] = g[i] if h00[i] > threshold or not later else zero
        to = out[0, right:end]
        for i in range(channels):
            to[i] = g[i] if h01[i] > threshold and not h00[i] > threshold else zero
        to = out[1, left:right]
        for i in range(channels):
            to[i] = g[i] if h10[i] > threshold and not (h00[i] > threshold or h01[i] > threshold) else zero
        to = out[1, right:end]
        for i in range(channels):
            before = h00[i] > threshold or h01[i] > threshold or h10[i] > threshold
            to[i] = g[i] if h11[i] > threshold and not before else zero


@njit(cache=True, nogil=True, error_model="numpy")
def _back(grads, h, slopes, gv, out, gain, scale, c):
    """One step of the way back, as in `numba_kernels.backward`: the gradients at the currents to `out`."""
    cut, by_h, by_one, zero = c[4], c[5], c[6], c[10]
    for i in range(len(h)):
        past_reset = gv[i] if not h[i] - cut > zero else zero
        g = past_reset + (grads[i] + gv[i] * (by_h * h[i] + by_one)) * slopes[i]
        gx = g * gain
        gv[i] = g - gx
        out[i] = gx * scale


@njit(cache=True, nogil=True, error_model="numpy")
def _add_sums(grads, x, centre, sums, products):
    """Add the gradients, and those times x - mean, to one sum a lane."""
    for i in range(len(x)):
        sums[i] += grads[i]
        products[i] += grads[i] * (x[i] - centre[i])


@njit(cache=True, nogil=True, error_model="numpy")
def backward(grad_out, x, grad_x, norm, rate, c, code, size, pooled, tall, wide, start, stop):
    """Gradients at the normalised currents to `grad_x` (T, M), and (2, C) float64: their sums, and those times x - mean.

    `norm` (3, C) holds the mean of each channel too.
    """
    gain, scale, leak, threshold = rate[0], rate[1], c[1], c[0]
    T = x.shape[0]
    _, height, width, channels = size
    out_height, out_width = pooled
    most = wide * channels
    a, b, centre = np.empty(most, x.dtype), np.empty(most, x.dtype), np.empty(most, x.dtype)
    repeat(norm[0], most, a)
    repeat(norm[1], most, b)
    repeat(norm[2], most, centre)
    h, v = np.empty((T, 2, most), x.dtype), np.empty((2, most), x.dtype)
    gs, gv = np.empty((2, most), x.dtype), np.empty((2, most), x.dtype)
    slopes, sums, products = np.empty(most, x.dtype), np.empty(most, x.dtype), np.empty(most, x.dtype)
    totals = np.zeros((2, channels))
    for number in range(start, stop):
        sample, row, column, rows, columns = _strip(number, size, tall, wide)
        run = columns * channels
        if rows < tall or columns < wide:
            h[:] = -np.inf  # what is not there does not fire
        v[:] = leak
        gv[:] = 0
        gs[:] = 0
        sums[:] = 0
        products[:] = 0
        for t in range(T):
            for r in range(rows):
                at = ((sample * height + row + r) * width + column) * channels
                _step(x[t, at : at + run], a, b, v[r], h[t, r], gain, scale, leak)
                _reset(h[t, r, :run], v[r], c)
        windows = min(-(-columns // 2), out_width - column // 2) if row // 2 < out_height else 0
        for t in range(T - 1, -1, -1):
            if tall == 2 and windows:
                at = ((sample * out_height + row // 2) * out_width + column // 2) * channels
                _unpool(grad_out[t, at : at + windows * channels], h[t], gs, channels, windows, threshold)
            for r in range(rows):
                at = ((sample * height + row + r) * width + column) * channels
                ht, to = h[t, r, :run], grad_x[t, at : at + run]
                slopes_at(ht, slopes, code, c)
                _back(
                    grad_out[t, at : at + run] if tall == 1 else gs[r], ht, slopes, gv[r], to, gain, scale, c
                )
                _add_sums(to, x[t, at : at + run], centre, sums, products)
        fold(sums, run, totals[0])
        fold(products, run, totals[1])
    return totals
