"""The inner loops of frames: counting a slice of events into a plane of cells.

Two phases a block: addresses (a loop the compiler turns into SIMD) go to a buffer that stays in the L1 cache,
then cells are counted up from it, several addresses a load. A frame is zeroed just before it is filled, while it
is in cache too. Every number is unsigned and as narrow as an address: signed or wider ones undo the SIMD.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 1024  # addresses; of two bytes where a frame has up to 2**16 cells, else of four
_16, _32, _48 = np.uint64(16), np.uint64(32), np.uint64(48)
_LOW16, _LOW32 = np.uint64(2**16 - 1), np.uint64(2**32 - 1)


@njit(cache=True, nogil=True)
def count_slices(x, y, p, cuts, first, last, width, area, limit, flat, lost):  # type: ignore[no-untyped-def]
    """Count events cuts[k] to cuts[k+1] into flat[k] (2 * area cells), for k = first ... last - 1.

    A cell stays at `limit`; lost[k] becomes the number of events of slice k that no cell could take, and their sum
    over k is returned. A frame has at most 2**32 cells.
    """
    words = np.empty(BLOCK // (4 if area <= 2**15 else 2), np.uint64)
    saturating, all_lost = False, 0
    for k in range(first, last):
        start, stop = cuts[k], cuts[k + 1]
        may_overflow = stop - start > limit
        frame = flat[k]
        lost[k] = 0
        while True:
            frame[:] = 0
            capped = may_overflow and saturating
            _add(x[start:stop], y[start:stop], p[start:stop], width, area, limit, capped, words, frame)
            if capped or not may_overflow or _all_there(frame, limit, stop - start):
                break
            # From here on plain adds are not tried first: who overflows once does so in the next frame too.
            saturating = True
        if capped:
            total = np.int64(0)
            for count in frame:
                total += np.int64(count)
            lost[k] = stop - start - total
            all_lost += lost[k]
    return all_lost


@njit(cache=True, nogil=True)
def _all_there(frame, limit, events):  # type: ignore[no-untyped-def]
    """Whether no cell wrapped or passed the limit: a wrap takes 2**bits of the events from the sum.

    The sum is kept modulo 2**32, which no lesser number of wraps can hide.
    """
    if events >= 2**32:
        return False
    total, most = np.uint32(0), frame.dtype.type(0)
    for count in frame:
        total = np.uint32(total + np.uint32(count))
        most = max(most, count)
    return total == events and most <= limit


@njit(cache=True, nogil=True)
def _address(xs, ys, ps, width, area, block):  # type: ignore[no-untyped-def]
    kind = block.dtype.type
    width, area = kind(width), kind(area)
    for i in range(xs.shape[0]):
        block[i] = kind(kind(kind(ps[i]) * area) + kind(kind(ys[i]) * width)) + kind(xs[i])


@njit(cache=True, nogil=True)
def _add(x, y, p, width, area, limit, capped, words, frame):  # type: ignore[no-untyped-def]
    narrow = area <= 2**15
    block16, block32 = words.view(np.uint16), words.view(np.uint32)
    one, top = frame.dtype.type(1), frame.dtype.type(limit)
    for start in range(0, x.shape[0], BLOCK):
        stop = min(start + BLOCK, x.shape[0])
        size = stop - start
        xs, ys, ps = x[start:stop], y[start:stop], p[start:stop]
        if narrow:
            _address(xs, ys, ps, width, area, block16)
            if capped:
                for address in block16[:size]:
                    frame[address] += frame[address] < top
                continue
            for i in range(size // 4):
                four = words[i]
                frame[four & _LOW16] += one
                frame[(four >> _16) & _LOW16] += one
                frame[(four >> _32) & _LOW16] += one
                frame[four >> _48] += one
            for address in block16[size - size % 4 : size]:
                frame[address] += one
        else:
            _address(xs, ys, ps, width, area, block32)
            if capped:
                for address in block32[:size]:
                    frame[address] += frame[address] < top
                continue
            for i in range(size // 2):
                two = words[i]
                frame[two & _LOW32] += one
                frame[two >> _32] += one
            if size % 2:
                frame[block32[size - 1]] += one
