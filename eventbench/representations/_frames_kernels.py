"""The inner loops of frames: counting a slice of events into a plane of cells.

Two phases a block: addresses (which the compiler turns into SIMD) go to a buffer that stays in the L1 cache,
then the cells are counted up from it. A frame is zeroed just before it is filled, while it is in cache too.
Everything is unsigned: signed indices would need wrap-around tests, and the address loop would not become SIMD.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 1024


@njit(cache=True, nogil=True)
def count_slices(x, y, p, cuts, first, last, width, area, limit, block, flat, lost):  # type: ignore[no-untyped-def]
    """Count events cuts[k] to cuts[k+1] into flat[k] (2 * area cells), for k = first ... last - 1.

    A cell stays at `limit`; lost[k] becomes the number of events of slice k that no cell could take.
    `block` is an unsigned (BLOCK,) buffer whose type holds every address in a frame.
    """
    saturating = False
    for k in range(first, last):
        start, stop = cuts[k], cuts[k + 1]
        frame = flat[k]
        frame[:] = 0
        lost[k] = 0
        if stop - start <= limit:
            _add(x[start:stop], y[start:stop], p[start:stop], width, area, block, frame)
            continue
        # Plain adds are tried first: where every event is found again in the sum, nothing wrapped.
        if not saturating:
            _add(x[start:stop], y[start:stop], p[start:stop], width, area, block, frame)
            if frame.max() <= limit and frame.sum() == stop - start:
                continue
            frame[:] = 0
            saturating = True
        _add_up_to(x[start:stop], y[start:stop], p[start:stop], width, area, limit, block, frame)
        lost[k] = stop - start - np.int64(frame.sum())


@njit(cache=True, nogil=True)
def _address(xs, ys, ps, width, area, block):  # type: ignore[no-untyped-def]
    for i in range(xs.shape[0]):
        block[i] = ps[i] * area + ys[i] * width + xs[i]


@njit(cache=True, nogil=True)
def _add(x, y, p, width, area, block, frame):  # type: ignore[no-untyped-def]
    for start in range(0, x.shape[0], BLOCK):
        stop = min(start + BLOCK, x.shape[0])
        _address(x[start:stop], y[start:stop], p[start:stop], width, area, block)
        for i in range(stop - start):
            frame[block[i]] += 1


@njit(cache=True, nogil=True)
def _add_up_to(x, y, p, width, area, limit, block, frame):  # type: ignore[no-untyped-def]
    for start in range(0, x.shape[0], BLOCK):
        stop = min(start + BLOCK, x.shape[0])
        _address(x[start:stop], y[start:stop], p[start:stop], width, area, block)
        for i in range(stop - start):
            frame[block[i]] += frame[block[i]] < limit
