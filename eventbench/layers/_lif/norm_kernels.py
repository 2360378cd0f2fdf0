"""Numba kernels for batch norm, LIF over all steps and a 2 x 2 max pool in one pass over channels-last arrays (T, M).

The output of the convolution is read once for the statistics, once in the forward pass and twice in the backward pass.
The normalised currents, the membranes and, before a pool, the spikes are never written to memory. A core works on one
strip at a time: one row of pixels, two if they are pooled, cut so that its T steps fit the cache. The backward pass
computes the membranes again, with the arithmetic and order of `numba_kernels`, so they are the same bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.layers._lif.norm_statistics import fold, repeat
from eventbench.layers._lif.numba_kernels import slopes_at


@njit(cache=True, nogil=True, error_model="numpy")
def _strip(number, size, tall, wide):
    """The sample, first row, first column, number of rows and number of columns of strip `number`."""
    _, height, width, _ = size
    strips_across, strips_down = -(-width // wide), -(-height // tall)
    sample, index = divmod(number, strips_across * strips_down)
    row, column = index // strips_across * tall, index % strips_across * wide
    return sample, row, column, min(tall, height - row), min(wide, width - column)


@njit(cache=True, nogil=True, error_model="numpy")
def _step(xs, a, b, v, u, gain, scale, leak):
    """Fill `u` with the membranes before reset, from currents a x + b."""
    for i in range(len(xs)):
        u[i] = xs[i] * a[i] + b[i]
    for i in range(len(xs)):
        u[i] = v[i] + gain * ((u[i] * scale + leak) - v[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _fire(u, v, spikes, c):
    """Fill `spikes`, and `v` with the membranes after reset."""
    slope, shift, zero, one, silent = c[2], c[3], c[10], c[11], c[12]
    for i in range(len(u)):
        z = one if u[i] - silent > zero else zero
        spikes[i] = z
        v[i] = (one - z) * u[i] + z * (u[i] * slope + shift)


@njit(cache=True, nogil=True, error_model="numpy")
def _reset(u, v, c):
    """Fill `v` with the membranes after reset: `_fire` without the spikes."""
    slope, shift, zero, one, silent = c[2], c[3], c[10], c[11], c[12]
    for i in range(len(u)):
        z = one if u[i] - silent > zero else zero
        v[i] = (one - z) * u[i] + z * (u[i] * slope + shift)


@njit(cache=True, nogil=True, error_model="numpy")
def forward(x, out, norm, rate, c, size, pooled, tall, wide, start, stop):
    """Fill `out` (T, N * Ho * Wo * C) for strips start..stop; False if a membrane is not finite.

    `norm` (2, C) holds the factor and the summand of each channel, `rate` 1/tau and the factor of the currents.
    `size` is (N, H, W, C), `pooled` (Ho, Wo). A strip has `tall` rows, 1 without a pool, and `wide` columns.
    """
    gain, scale, leak, zero = rate[0], rate[1], c[1], c[10]
    _, height, width, channels = size
    out_height, out_width = pooled
    lanes = wide * channels
    a, b = np.empty(lanes, x.dtype), np.empty(lanes, x.dtype)
    repeat(norm[0], lanes, a)
    repeat(norm[1], lanes, b)
    u, v, spikes = np.empty(lanes, x.dtype), np.empty((2, lanes), x.dtype), np.empty((2, lanes), x.dtype)
    row_maxima = np.empty(lanes, x.dtype)
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
                row_spikes = out[t, at : at + run] if tall == 1 else spikes[r, :run]
                _fire(u[:run], v[r], row_spikes, c)
            if tall == 2 and row // 2 < out_height:
                upper, lower = spikes[0], spikes[1]
                for i in range(lanes):
                    row_maxima[i] = max(upper[i], lower[i])
                for j in range(min(-(-columns // 2), out_width - column // 2)):
                    left = row_maxima[2 * j * channels : (2 * j + 1) * channels]
                    right = row_maxima[(2 * j + 1) * channels : (2 * j + 2) * channels]
                    at = ((sample * out_height + row // 2) * out_width + column // 2 + j) * channels
                    pooled_spikes = out[t, at : at + channels]
                    for i in range(channels):
                        pooled_spikes[i] = max(left[i], right[i])
        for r in range(rows):
            for i in range(run):
                finite &= v[r, i] - v[r, i] == zero
    return finite


@njit(cache=True, nogil=True, error_model="numpy")
def _unpool(grads, h, out, channels, windows, silent):
    """Give each window's gradient to the first of its four pixels that fired, else to the first, as torch's pool does."""
    zero = silent - silent
    for j in range(windows):
        left, right, end = 2 * j * channels, (2 * j + 1) * channels, (2 * j + 2) * channels
        g = grads[j * channels : (j + 1) * channels]
        h00, h01, h10, h11 = h[0, left:right], h[0, right:end], h[1, left:right], h[1, right:end]
        target = out[0, left:right]
        for i in range(channels):
            later = h01[i] > silent or h10[i] > silent or h11[i] > silent
            target[i] = g[i] if h00[i] > silent or not later else zero
        target = out[0, right:end]
        for i in range(channels):
            target[i] = g[i] if h01[i] > silent and not h00[i] > silent else zero
        target = out[1, left:right]
        for i in range(channels):
            target[i] = g[i] if h10[i] > silent and not (h00[i] > silent or h01[i] > silent) else zero
        target = out[1, right:end]
        for i in range(channels):
            before = h00[i] > silent or h01[i] > silent or h10[i] > silent
            target[i] = g[i] if h11[i] > silent and not before else zero


@njit(cache=True, nogil=True, error_model="numpy")
def _backward_step(grads, h, slopes, gv, out, gain, scale, c):
    """One step of the backward pass, as in `numba_kernels.backward`: fill `out` with the gradients of the currents."""
    cut, by_h, by_one, zero = c[4], c[5], c[6], c[10]
    for i in range(len(h)):
        past_reset = gv[i] if not h[i] - cut > zero else zero
        g = past_reset + (grads[i] + gv[i] * (by_h * h[i] + by_one)) * slopes[i]
        gx = g * gain
        gv[i] = g - gx
        out[i] = gx * scale


@njit(cache=True, nogil=True, error_model="numpy")
def _add_sums(grads, x, centre, sums, products):
    """Add the gradients, and the gradients times x - mean, to one sum per lane."""
    for i in range(len(x)):
        sums[i] += grads[i]
        products[i] += grads[i] * (x[i] - centre[i])


@njit(cache=True, nogil=True, error_model="numpy")
def backward(grad_out, x, grad_x, norm, rate, c, code, size, pooled, tall, wide, start, stop):
    """Fill `grad_x` (T, M) with the gradients of the normalised currents; return their sums per channel.

    Returned is float64 (2, C): the sums of the gradients, and of the gradients times x - mean. `norm` (3, C) holds the
    mean of each channel as its third row.
    """
    gain, scale, leak, silent = rate[0], rate[1], c[1], c[12]
    T = x.shape[0]
    _, height, width, channels = size
    out_height, out_width = pooled
    lanes = wide * channels
    a, b, centre = np.empty(lanes, x.dtype), np.empty(lanes, x.dtype), np.empty(lanes, x.dtype)
    repeat(norm[0], lanes, a)
    repeat(norm[1], lanes, b)
    repeat(norm[2], lanes, centre)
    h, v = np.empty((T, 2, lanes), x.dtype), np.empty((2, lanes), x.dtype)
    gs, gv = np.empty((2, lanes), x.dtype), np.empty((2, lanes), x.dtype)
    slopes, sums, products = np.empty(lanes, x.dtype), np.empty(lanes, x.dtype), np.empty(lanes, x.dtype)
    totals = np.zeros((2, channels))
    for number in range(start, stop):
        sample, row, column, rows, columns = _strip(number, size, tall, wide)
        run = columns * channels
        if rows < tall or columns < wide:
            h[:] = -np.inf  # pixels beyond the edge do not fire
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
                _unpool(grad_out[t, at : at + windows * channels], h[t], gs, channels, windows, silent)
            for r in range(rows):
                at = ((sample * height + row + r) * width + column) * channels
                ht, grad_currents = h[t, r, :run], grad_x[t, at : at + run]
                slopes_at(ht, slopes, code, c)
                grad_spikes = grad_out[t, at : at + run] if tall == 1 else gs[r]
                _backward_step(grad_spikes, ht, slopes, gv[r], grad_currents, gain, scale, c)
                _add_sums(grad_currents, x[t, at : at + run], centre, sums, products)
        fold(sums, run, totals[0])
        fold(products, run, totals[1])
    return totals
