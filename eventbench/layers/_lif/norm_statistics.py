"""Numba kernels for the statistics of a batch norm and the last pass of its gradient, over flat channels-last arrays (R * C).

They work on R rows of C channels; the kernels of `norm_kernels` work on images.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LANES = 512  # number of sums side by side; a loop over the channels alone is too short to be vectorised
ROUNDS = 64  # additions to a lane before it is added to a float64


@njit(cache=True, nogil=True, error_model="numpy")
def fold(lanes, n, totals):
    """Add n lanes to the float64 `totals` of the channels; lane i belongs to channel i % C."""
    channels = len(totals)
    for at in range(0, n, channels):
        part = lanes[at : at + channels]
        for i in range(channels):
            totals[i] += part[i]


@njit(cache=True, nogil=True, error_model="numpy")
def repeat(values, n, out):
    """Fill `out` with the values of the channels, repeated."""
    channels = len(values)
    for at in range(0, n, channels):
        part = out[at : at + channels]
        for i in range(channels):
            part[i] = values[i]


@njit(cache=True, nogil=True, error_model="numpy")
def moments(x, channels, start, stop):
    """The number of rows start..stop of flat x (R * C), and float64 (2, C): means, and sums of squared deviations.

    Chunks that fit the nearest cache are centred on their own mean and combined as in Chan, Golub and LeVeque (1983),
    so that squares of large means do not cancel.
    """
    wide = channels * max(1, LANES // channels)
    lanes, centre = np.empty(wide, x.dtype), np.empty(wide, x.dtype)
    total, chunk = np.zeros((2, channels)), np.empty((2, channels))
    rows_before = 0
    for first in range(start * channels, stop * channels, wide * ROUNDS):
        last = min(first + wide * ROUNDS, stop * channels)
        rows = (last - first) // channels
        chunk[:] = 0
        lanes[:] = 0
        for at in range(first, last, wide):
            xs = x[at : min(at + wide, last)]
            for i in range(len(xs)):
                lanes[i] += xs[i]
        fold(lanes, wide, chunk[0])
        for c in range(channels):
            chunk[0, c] /= rows
        repeat(chunk[0], wide, centre)
        lanes[:] = 0
        for at in range(first, last, wide):
            xs = x[at : min(at + wide, last)]
            for i in range(len(xs)):
                d = xs[i] - centre[i]
                lanes[i] += d * d
        fold(lanes, wide, chunk[1])
        rows_so_far = rows_before + rows
        for c in range(channels):
            # The centre was rounded to the dtype of x; this corrects the sum of squares to the exact mean.
            rounding = chunk[0, c] - np.float64(centre[c])
            between = chunk[0, c] - total[0, c]
            total[0, c] += between * rows / rows_so_far
            total[1, c] += (
                chunk[1, c]
                - rows * rounding * rounding
                + between * between * rows_before * rows / rows_so_far
            )
        rows_before = rows_so_far
    return rows_before, total


@njit(cache=True, nogil=True, error_model="numpy")
def finish(grads, x, factors, start, stop):
    """Replace each g in rows start..stop of flat `grads` (R * C) by factors[0] g + factors[1] x + factors[2] of its channel."""
    channels = factors.shape[1]
    wide = channels * max(1, LANES // channels)
    grad_factor, x_factor, summand = np.empty(wide, x.dtype), np.empty(wide, x.dtype), np.empty(wide, x.dtype)
    repeat(factors[0], wide, grad_factor)
    repeat(factors[1], wide, x_factor)
    repeat(factors[2], wide, summand)
    for at in range(start * channels, stop * channels, wide):
        end = min(at + wide, stop * channels)
        g, xs = grads[at:end], x[at:end]
        for i in range(len(xs)):
            g[i] = grad_factor[i] * g[i] + x_factor[i] * xs[i] + summand[i]
