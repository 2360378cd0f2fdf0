"""Statistics of a batch norm and the last pass of its gradient: Numba kernels over flat arrays (R * C), channels last.

They look at rows of channels and not at images, unlike `norm_kernels`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LANES = 512  # so many sums side by side: a channel count alone is too short a loop to be vectors
ROUNDS = 64  # additions to a lane before it goes into a float64


@njit(cache=True, nogil=True, error_model="numpy")
def fold(lanes, n, totals):
    """Add n lanes, of which lane i belongs to channel i % C, to a float64 for each channel."""
    channels = len(totals)
    for at in range(0, n, channels):
        part = lanes[at : at + channels]
        for i in range(channels):
            totals[i] += part[i]


@njit(cache=True, nogil=True, error_model="numpy")
def repeat(values, n, out):
    """Fill `out` with the values of the channels, over and over."""
    channels = len(values)
    for at in range(0, n, channels):
        part = out[at : at + channels]
        for i in range(channels):
            part[i] = values[i]


@njit(cache=True, nogil=True, error_model="numpy")
def moments(x, channels, start, stop):
    """Rows start..stop of x, flat (R * C): their number, and (2, C) float64 means and sums of squares about them.

    Each part that fits the nearest cache is centred on its own mean, and parts are put together as Chan, Golub and
    LeVeque (1983) do: squares of large means never cancel.
    """
    wide = channels * max(1, LANES // channels)
    lanes, centre = np.empty(wide, x.dtype), np.empty(wide, x.dtype)
    total, part = np.zeros((2, channels)), np.empty((2, channels))
    counted = 0
    for first in range(start * channels, stop * channels, wide * ROUNDS):
        last = min(first + wide * ROUNDS, stop * channels)
        rows = (last - first) // channels
        part[:] = 0
        lanes[:] = 0
        for at in range(first, last, wide):
            xs = x[at : min(at + wide, last)]
            for i in range(len(xs)):
                lanes[i] += xs[i]
        fold(lanes, wide, part[0])
        for c in range(channels):
            part[0, c] /= rows
        repeat(part[0], wide, centre)
        lanes[:] = 0
        for at in range(first, last, wide):
            xs = x[at : min(at + wide, last)]
            for i in range(len(xs)):
                d = xs[i] - centre[i]
                lanes[i] += d * d
        fold(lanes, wide, part[1])
        both = counted + rows
        for c in range(channels):
            # The centre was rounded to the dtype of x; about the mean itself the sum of squares is that much less.
            off = part[0, c] - np.float64(centre[c])
            between = part[0, c] - total[0, c]
            total[0, c] += between * rows / both
            total[1, c] += part[1, c] - rows * off * off + between * between * counted * rows / both
        counted = both
    return counted, total


@njit(cache=True, nogil=True, error_model="numpy")
def finish(grads, x, factors, start, stop):
    """In rows start..stop of flat (R * C) `grads`: each becomes factors[0] g + factors[1] x + factors[2] of its channel."""
    channels = factors.shape[1]
    wide = channels * max(1, LANES // channels)
    by_grad, by_x, plus = np.empty(wide, x.dtype), np.empty(wide, x.dtype), np.empty(wide, x.dtype)
    repeat(factors[0], wide, by_grad)
    repeat(factors[1], wide, by_x)
    repeat(factors[2], wide, plus)
    for at in range(start * channels, stop * channels, wide):
        end = min(at + wide, stop * channels)
        g, xs = grads[at:end], x[at:end]
        for i in range(len(xs)):
            g[i] = by_grad[i] * g[i] + by_x[i] * xs[i] + plus[i]
