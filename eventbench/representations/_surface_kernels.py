"""The inner loops of time surfaces: the time of the latest event of each cell, and its decay.

The exponential is made of + - * and a power of two written into a float's exponent, all of which SIMD does: it is
what a surface spends its time on. Accurate to 2e-7, and the same bits on every machine (no `fastmath`, no libm).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.representations._frames_kernels import fill_addresses

BLOCK = 2048  # addresses of four bytes and times of eight, 24 KiB
NEVER = -np.inf
_LEAST = np.float32(-127.0)  # its power of two has the bits of 0: what is less has decayed to nothing
_ROUND = np.float32(1.5 * 2.0**23)  # added, it leaves a small number rounded in the lowest bits of the sum
_BIAS, _MANTISSA = np.int32(127), np.int32(23)
# 2^f for |f| <= 1/2: the polynomial through seven Chebyshev points, relative error 1.1e-7 in float32, exact at 0.
_C0, _C1, _C2, _C3, _C4, _C5, _C6 = (
    np.float32(c) for c in (1, 0.6931472, 0.2402265, 0.05550327, 0.009618057, 0.0013400428, 0.00015461445)
)


@njit(cache=True, nogil=True)
def fill_surfaces(t, x, y, p, cuts, ends, rate, linear, width, area, latest, flat):  # type: ignore[no-untyped-def]
    """Fill flat (T, cells) with the decay since each cell's latest event before cuts[k + 1], seen from ends[k].

    `ends` are float64 (T,), us after t[0], and `latest` (cells,) float64 is written over. With d the difference of
    the two times, a cell is 2^(-d * rate), or where `linear` max(0, 1 - d * rate).
    """
    latest[:] = NEVER
    addresses, times = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.float64)
    powers = np.empty(BLOCK, np.int32)
    for k in range(flat.shape[0]):
        for start in range(cuts[k], cuts[k + 1], BLOCK):
            stop = min(start + BLOCK, cuts[k + 1])
            fill_addresses(x[start:stop], y[start:stop], p[start:stop], width, area, addresses)
            _since(t[start:stop], t[0], times)
            for i in range(stop - start):
                latest[addresses[i]] = times[i]
        surface = flat[k]
        if linear:
            for i in range(surface.shape[0]):
                left = 1.0 + (latest[i] - ends[k]) * rate
                surface[i] = left if left > 0.0 else 0.0
        else:
            for start in range(0, surface.shape[0], BLOCK):
                _decay(latest[start : start + BLOCK], ends[k], rate, powers, surface[start : start + BLOCK])


@njit(cache=True, nogil=True)
def _since(ts, first, times):  # type: ignore[no-untyped-def]
    start = np.uint64(first)
    for i in range(ts.shape[0]):
        times[i] = np.float64(np.uint64(ts[i]) - start)


@njit(cache=True, nogil=True)
def _decay(latest, end, rate, powers, surface):  # type: ignore[no-untyped-def]
    """surface = 2^((latest - end) * rate): a whole power, made as the bits of a float, times one within 1/2 of 0."""
    whole = powers.view(np.float32)
    for i in range(surface.shape[0]):
        exponent = np.float32((latest[i] - end) * rate)
        exponent = exponent if exponent > _LEAST else _LEAST
        shifted = exponent + _ROUND
        whole[i] = shifted
        f = exponent - (shifted - _ROUND)
        surface[i] = (((((_C6 * f + _C5) * f + _C4) * f + _C3) * f + _C2) * f + _C1) * f + _C0
    for i in range(surface.shape[0]):
        powers[i] = (powers[i] + _BIAS) << _MANTISSA
    for i in range(surface.shape[0]):
        surface[i] *= whole[i]
