"""The inner loops of frames: counting a slice of events into a plane of cells.

Two phases a block: addresses (a loop the compiler turns into SIMD) go to a buffer that stays in the L1 cache,
then cells are counted up from it, several addresses a load. A frame is zeroed just before it is filled, while it
is in cache too; one too large for that is counted in bytes, in a plane that stays in cache, and written out once. Every
number is unsigned and as narrow as an address: signed or wider ones undo the SIMD.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 8192  # addresses; of two bytes where a frame has up to 2**16 cells, else of four
LARGE = 1 << 19  # bytes of a frame that a core's L2 cache no longer holds with all else
_16, _32, _48 = np.uint64(16), np.uint64(32), np.uint64(48)
_LOW16, _LOW32 = np.uint64(2**16 - 1), np.uint64(2**32 - 1)


@njit(cache=True, nogil=True)
def count_slices(x, y, p, cuts, first, last, width, area, limit, flat, lost):  # type: ignore[no-untyped-def]
    """Count events cuts[k] to cuts[k+1] into flat[k] (2 * area cells), for k = first ... last - 1.

    A cell stays at `limit`; lost[k] becomes the number of events of slice k that no cell could take, and their sum
    over k is returned. A frame has at most 2**32 cells.
    """
    words = np.empty(BLOCK // (4 if area <= 2**15 else 2), np.uint64)
    by_bytes = limit >= 255 and flat.shape[1] * flat.itemsize > LARGE
    counted = np.empty(flat.shape[1] if by_bytes else 0, np.uint8)
    capped, all_lost = False, 0
    for k in range(first, last):
        start, stop = cuts[k], cuts[k + 1]
        frame = flat[k]
        xs, ys, ps = x[start:stop], y[start:stop], p[start:stop]
        lost[k] = 0
        if by_bytes:
            counted[:] = 0
            add_events(xs, ys, ps, width, area, words, counted)
            if _write_out(counted, frame, stop - start):
                continue
            by_bytes = False  # who has over 255 events in a cell once has them in the next frame too
        may_overflow = stop - start > limit
        if not (may_overflow and capped):
            frame[:] = 0
            add_events(xs, ys, ps, width, area, words, frame)
            if not may_overflow or all_there(frame, limit, stop - start):
                continue
            capped = True
        frame[:] = 0
        _add_capped(xs, ys, ps, width, area, limit, words, frame)
        total = np.int64(0)
        for count in frame:
            total += np.int64(count)
        lost[k] = stop - start - total
        all_lost += lost[k]
    return all_lost


@njit(cache=True, nogil=True)
def all_there(frame, limit, events):  # type: ignore[no-untyped-def]
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
def _write_out(counted, frame, events):  # type: ignore[no-untyped-def]
    """Write the bytes into the cells of `frame`; whether none of them had wrapped, as in `all_there`."""
    if events >= 2**32:
        return False
    total = np.uint32(0)
    for i in range(counted.shape[0]):
        count = counted[i]
        total = np.uint32(total + np.uint32(count))
        frame[i] = count
    return total == events


@njit(cache=True, nogil=True)
def fill_addresses(xs, ys, ps, width, area, block):  # type: ignore[no-untyped-def]
    kind = block.dtype.type
    width, area = kind(width), kind(area)
    for i in range(xs.shape[0]):
        block[i] = kind(kind(kind(ps[i]) * area) + kind(kind(ys[i]) * width)) + kind(xs[i])


@njit(cache=True, nogil=True)
def add_events(x, y, p, width, area, words, frame):  # type: ignore[no-untyped-def]
    narrow = area <= 2**15
    block16, block32 = words.view(np.uint16), words.view(np.uint32)
    one = frame.dtype.type(1)
    for start in range(0, x.shape[0], BLOCK):
        stop = min(start + BLOCK, x.shape[0])
        size = stop - start
        if narrow:
            fill_addresses(x[start:stop], y[start:stop], p[start:stop], width, area, block16)
            for i in range(size // 4):
                four = words[i]
                frame[four & _LOW16] += one
                frame[(four >> _16) & _LOW16] += one
                frame[(four >> _32) & _LOW16] += one
                frame[four >> _48] += one
            for address in block16[size - size % 4 : size]:
                frame[address] += one
        else:
            fill_addresses(x[start:stop], y[start:stop], p[start:stop], width, area, block32)
            for i in range(size // 2):
                two = words[i]
                frame[two & _LOW32] += one
                frame[two >> _32] += one
            if size % 2:
                frame[block32[size - 1]] += one


@njit(cache=True, nogil=True)
def _add_capped(x, y, p, width, area, limit, words, frame):  # type: ignore[no-untyped-def]
    narrow, top = area <= 2**15, frame.dtype.type(limit)
    block16, block32 = words.view(np.uint16), words.view(np.uint32)
    for start in range(0, x.shape[0], BLOCK):
        stop = min(start + BLOCK, x.shape[0])
        if narrow:
            fill_addresses(x[start:stop], y[start:stop], p[start:stop], width, area, block16)
            for address in block16[: stop - start]:
                frame[address] += frame[address] < top
        else:
            fill_addresses(x[start:stop], y[start:stop], p[start:stop], width, area, block32)
            for address in block32[: stop - start]:
                frame[address] += frame[address] < top
