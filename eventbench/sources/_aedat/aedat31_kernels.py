"""Packets of AEDAT 3.1 in kernels: how many events there are, and their columns."""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.sources._aedat.addresses import load_16, load_32, load_64, store_64
from eventbench.sources._aedat.word_kernels import columns_of

HEAD_BYTES = 28
POLARITY = 1
TRUNCATED, SIZES = 1, 2
BLOCK = 2048  # events, which stay in the L1 cache
SIGN = 1 << 31  # of a time of 32 bits
LEAST_TIME = -(1 << 62)
# Of x, bits 17 to 31, and y, 2 to 16: shift, mask, and nothing turned; of the polarity, bit 1.
LAYOUT = (17, 0x7FFF, 0, 0, 2, 0x7FFF, 0, 0, 1, 0)


@njit(cache=True, nogil=True)
def _int32(address):  # type: ignore[no-untyped-def]
    return np.int64(np.int32(np.uint32(load_32(address))))


@njit(cache=True, nogil=True)
def measure(data, at):  # type: ignore[no-untyped-def]
    """(Most events there can be, offset of the first packet that is wrong, what is wrong: 0 nothing, packets of other types)."""
    events, others, end, start = 0, 0, data.shape[0], data.ctypes.data
    while at < end:
        if end - at < HEAD_BYTES:
            return events, at, TRUNCATED, others
        kind = load_16(start + at)
        size, offset, number = _int32(start + at + 4), _int32(start + at + 8), _int32(start + at + 20)
        if size < 0 or number < 0 or (kind == POLARITY and (size < 8 or offset < 4 or offset > size - 4)):
            return events, at, SIZES, others
        if size * number > end - at - HEAD_BYTES:
            return events, at, TRUNCATED, others
        if kind == POLARITY:
            events += number
        else:
            others += 1
        at += HEAD_BYTES + size * number
    return events, at, 0, others


@njit(cache=True, nogil=True)
def fill(data, at, t, x, y, p):  # type: ignore[no-untyped-def]
    """Decode what `measure` found sound: (valid events, highest x, highest y, times that step back)."""
    start, own = data.ctypes.data, np.empty(BLOCK, np.uint64)
    n, high_x, high_y, back = 0, 0, 0, 0
    while at < data.shape[0]:
        kind = load_16(start + at)
        size, offset, number = _int32(start + at + 4), _int32(start + at + 8), _int32(start + at + 20)
        overflow = _int32(start + at + 12) << 31
        at += HEAD_BYTES
        for first in range(0, number if kind == POLARITY else 0, BLOCK):
            m, block = min(BLOCK, number - first), start + at + size * first
            if size != 8 or offset != 4 or not _all_valid(block, m):
                m = _valid_ones(block, size, offset, m, own.ctypes.data)
                block = own.ctypes.data
            end = n + m
            before = t[n - 1] if n else np.int64(LEAST_TIME)
            highest = columns_of(
                block, overflow - SIGN, SIGN, LAYOUT, before, t[n:end], x[n:end], y[n:end], p[n:end]
            )
            high_x, high_y, back = max(high_x, highest[0]), max(high_y, highest[1]), back + highest[2]
            n = end
        at += size * number
    return n, high_x, high_y, back


@njit(cache=True, nogil=True)
def _all_valid(block, number):  # type: ignore[no-untyped-def]
    valid = 1
    for i in range(number):
        valid &= load_64(block + 8 * i)
    return valid & 1 == 1


@njit(cache=True, nogil=True)
def _valid_ones(block, size, offset, number, own):  # type: ignore[no-untyped-def]
    """Copy valid events of any size as words of which the upper half is the time; how many there are."""
    n = 0
    for i in range(number):
        word = load_32(block + size * i)
        store_64(own + 8 * n, word | load_32(block + size * i + offset) << 32)
        n += word & 1
    return n
