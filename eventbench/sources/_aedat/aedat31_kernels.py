"""Packets of AEDAT 3.1 in kernels: how many events there are, and their columns."""

from __future__ import annotations

import numpy as np
from numba import njit

HEAD_BYTES = 28
POLARITY = 1
TRUNCATED, SIZES = 1, 2
BLOCK = 512  # events, which stay in the L1 cache
LOW = np.uint64(0xFFFFFFFF)


@njit(cache=True, nogil=True)
def int32_at(data, at):  # type: ignore[no-untyped-def]
    return np.int64(
        np.int32(
            np.uint32(data[at])
            | np.uint32(data[at + 1]) << np.uint32(8)
            | np.uint32(data[at + 2]) << np.uint32(16)
            | np.uint32(data[at + 3]) << np.uint32(24)
        )
    )


@njit(cache=True, nogil=True)
def measure(data, at):  # type: ignore[no-untyped-def]
    """(most events there can be, offset of the first packet that is wrong, what is wrong: 0 nothing)."""
    events, end = 0, data.shape[0]
    while at < end:
        if end - at < HEAD_BYTES:
            return events, at, TRUNCATED
        kind = np.int64(data[at]) | np.int64(data[at + 1]) << 8
        size, offset, number = int32_at(data, at + 4), int32_at(data, at + 8), int32_at(data, at + 20)
        if size < 0 or number < 0 or (kind == POLARITY and (size < 8 or offset < 4 or offset > size - 4)):
            return events, at, SIZES
        if size * number > end - at - HEAD_BYTES:
            return events, at, TRUNCATED
        if kind == POLARITY:
            events += number
        at += np.int64(HEAD_BYTES + size * number)
    return events, at, 0


@njit(cache=True, nogil=True)
def fill(data, at, t, x, y, p):  # type: ignore[no-untyped-def]
    """Decode what `measure` found sound; the number of valid events."""
    block = np.empty(BLOCK, np.uint64)
    as_bytes, n = block.view(np.uint8), 0
    while at < data.shape[0]:
        kind = np.int64(data[at]) | np.int64(data[at + 1]) << 8
        size, offset, number = int32_at(data, at + 4), int32_at(data, at + 8), int32_at(data, at + 20)
        overflow = int32_at(data, at + 12) << 31
        at += HEAD_BYTES
        if kind == POLARITY and size == 8 and offset == 4:
            for first in range(0, number, BLOCK):
                m = min(BLOCK, number - first)
                _copy(data[at + 8 * first : at + 8 * (first + m)], as_bytes)
                n += _block(block[:m], overflow, t[n : n + m], x[n : n + m], y[n : n + m], p[n : n + m])
        elif kind == POLARITY:
            for i in range(number):
                word = np.uint64(int32_at(data, at + i * size)) & LOW
                block[0] = word | np.uint64(int32_at(data, at + i * size + offset)) << np.uint64(32)
                n += _block(block[:1], overflow, t[n : n + 1], x[n : n + 1], y[n : n + 1], p[n : n + 1])
        at += size * number  # type: ignore[assignment]
    return n


@njit(cache=True, nogil=True)
def _copy(data, block):  # type: ignore[no-untyped-def]
    for i in range(data.shape[0]):
        block[i] = data[i]


@njit(cache=True, nogil=True)
def _block(block, overflow, t, x, y, p):  # type: ignore[no-untyped-def]
    """Decode words of which the lower half is the event and the upper its time; how many are valid."""
    valid = np.uint64(1)
    for i in range(block.shape[0]):
        valid &= block[i]
    if valid:
        for i in range(block.shape[0]):
            t[i] = overflow + (np.int64(block[i]) >> 32)
        for i in range(block.shape[0]):
            x[i] = block[i] >> np.uint64(17) & np.uint64(0x7FFF)
        for i in range(block.shape[0]):
            y[i] = block[i] >> np.uint64(2) & np.uint64(0x7FFF)
        for i in range(block.shape[0]):
            p[i] = block[i] >> np.uint64(1) & np.uint64(1)
        return block.shape[0]
    n = 0
    for word in block:
        if word & np.uint64(1):
            t[n] = overflow + (np.int64(word) >> 32)
            x[n], y[n] = word >> np.uint64(17) & np.uint64(0x7FFF), word >> np.uint64(2) & np.uint64(0x7FFF)
            p[n] = word >> np.uint64(1) & np.uint64(1)
            n += 1
    return n
