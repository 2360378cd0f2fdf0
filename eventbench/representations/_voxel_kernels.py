"""The inner loops of voxel grids: events between two planes are one run of them, and share themselves out to both.

Two phases a block, as with frames: addresses and shares by SIMD into buffers that stay in the L1 cache, then cells
are added up from there. What limits the second is the memory that its cells take, so that there are two ways of it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.representations._frames_kernels import fill_addresses

BLOCK = 4096
MOST_PACKED = (
    2**24
)  # events of a run: of more, one float64 holds count and shares no better than float32 does
_16, _32, _48 = np.uint64(16), np.uint64(32), np.uint64(48)
_LOW16, _LOW32 = np.uint64(2**16 - 1), np.uint64(2**32 - 1)
_ROUND = 1.5 * 2.0**52  # added and taken away again, it rounds a float64 under 2**51 to a whole number


@njit(cache=True, nogil=True)
def cut_between(t, times, span, cuts):  # type: ignore[no-untyped-def]
    """Fill cuts[k] with the index of the first event with t* >= k, where t* = times * (t - t[0]) / span."""
    low, total = 0, t.shape[0]
    cuts[:] = total
    if total == 0:
        return
    start = np.uint64(t[0])
    for k in range(cuts.shape[0]):
        high = total
        while low < high:
            middle = (low + high) >> 1
            if times * np.float64(np.uint64(t[middle]) - start) / span < k:
                low = middle + 1
            else:
                high = middle
        cuts[k] = low


@njit(cache=True, nogil=True)
def add_shares(t, x, y, p, cuts, times, span, width, area, signed, flat):  # type: ignore[no-untyped-def]
    """Fill flat (B, cells): plane b takes 1 - (t* - b) of events cuts[b] to cuts[b+1] and t* - b + 1 of those before.

    `signed` shares are negative for OFF events, and polarities share the cells; else each has cells of its own. A
    plane takes all of its left shares, in order, before the right ones, as tonic adds them: float64 sums have the
    same bits. Addresses and right shares of two runs of events are kept to that end.
    """
    most = 0
    for b in range(flat.shape[0]):
        most = max(most, cuts[b + 1] - cuts[b])
    narrow, on_cells = flat.shape[1] <= 2**16, 0 if signed else area
    to_a_word = 4 if narrow else 2
    words, right = np.empty((2, most // to_a_word + 1), np.uint64), np.empty((2, most), flat.dtype)
    left = np.empty(BLOCK, flat.dtype)
    before = 0
    for b in range(flat.shape[0]):
        plane, now = flat[b], b % 2
        plane[:] = 0
        for k in range(0, cuts[b + 1] - cuts[b], BLOCK):
            start, stop = cuts[b] + k, min(cuts[b] + k + BLOCK, cuts[b + 1])
            run = words[now, k // to_a_word :]
            _addresses(x[start:stop], y[start:stop], p[start:stop], width, on_cells, narrow, run)
            _shares(t[start:stop], p[start:stop], t[0], times, span, b, signed, left, right[now, k:])
            _add(run, left, stop - start, narrow, plane)
        _add(words[1 - now], right[1 - now], before, narrow, plane)
        before = cuts[b + 1] - cuts[b]


@njit(cache=True, nogil=True)
def add_packed(t, x, y, p, cuts, times, span, width, area, signed, flat):  # type: ignore[no-untyped-def]
    """As `add_shares`, for float32 and many events a cell: one addition an event, of count and right share at once.

    A cell of float64 sums unit + share for each event, where the unit is a power of two over twice any sum of shares;
    count and sum of shares are read off it once a plane. It rounds finer than float32 sums do.
    """
    most = 0
    for b in range(flat.shape[0]):
        most = max(most, cuts[b + 1] - cuts[b])
    unit = 1024.0
    while unit < 4.0 * most:
        unit *= 2.0
    narrow, on_cells = flat.shape[1] <= 2**16, 0 if signed else area
    words, packed = np.empty(BLOCK // 2, np.uint64), np.empty(BLOCK, np.float64)
    sums, unused = np.zeros(flat.shape[1], np.float64), np.empty(flat.shape[1], np.float32)
    flat[0, :] = 0
    for b in range(flat.shape[0]):
        for start in range(cuts[b], cuts[b + 1], BLOCK):
            stop = min(start + BLOCK, cuts[b + 1])
            _addresses(x[start:stop], y[start:stop], p[start:stop], width, on_cells, narrow, words)
            _packed(t[start:stop], p[start:stop], t[0], times / span, b - unit, signed, packed)
            _add(words, packed, stop - start, narrow, sums)
        _unpack(sums, unit, flat[b], flat[b + 1] if b + 1 < flat.shape[0] else unused)


@njit(cache=True, nogil=True)
def _shares(ts, ps, first, times, span, b, signed, left, right):  # type: ignore[no-untyped-def]
    kind, start, scale = right.dtype.type, np.uint64(first), times / span
    gap, one = (kind(2), kind(1)) if signed else (kind(0), kind(-1))
    if right.itemsize == 4:  # the quicker product can be a little under 0, which no share may be
        for i in range(ts.shape[0]):
            share = kind(np.float64(np.uint64(ts[i]) - start) * scale - b)
            share = share if share > kind(0) else kind(0)
            sign = kind(np.int32(ps[i])) * gap - one
            left[i], right[i] = sign * (kind(1) - share), sign * share
    else:
        for i in range(ts.shape[0]):
            share = times * np.float64(np.uint64(ts[i]) - start) / span - b
            sign = kind(np.int32(ps[i])) * gap - one
            left[i], right[i] = sign * (kind(1) - share), sign * share


@njit(cache=True, nogil=True)
def _packed(ts, ps, first, scale, less, signed, packed):  # type: ignore[no-untyped-def]
    start = np.uint64(first)
    gap, one = (2.0, 1.0) if signed else (0.0, -1.0)
    for i in range(ts.shape[0]):
        sign = np.float64(np.int32(ps[i])) * gap - one
        packed[i] = (np.float64(np.uint64(ts[i]) - start) * scale - less) * sign


@njit(cache=True, nogil=True)
def _addresses(xs, ys, ps, width, on_cells, narrow, words):  # type: ignore[no-untyped-def]
    if narrow:
        fill_addresses(xs, ys, ps, width, on_cells, words.view(np.uint16))
    else:
        fill_addresses(xs, ys, ps, width, on_cells, words.view(np.uint32))


@njit(cache=True, nogil=True)
def _add(words, values, size, narrow, cells):  # type: ignore[no-untyped-def]
    if narrow:
        for i in range(size // 4):
            four = words[i]
            cells[four & _LOW16] += values[4 * i]
            cells[(four >> _16) & _LOW16] += values[4 * i + 1]
            cells[(four >> _32) & _LOW16] += values[4 * i + 2]
            cells[four >> _48] += values[4 * i + 3]
        for i in range(size - size % 4, size):
            cells[words.view(np.uint16)[i]] += values[i]
    else:
        for i in range(size // 2):
            two = words[i]
            cells[two & _LOW32] += values[2 * i]
            cells[two >> _32] += values[2 * i + 1]
        if size % 2:
            cells[words.view(np.uint32)[size - 1]] += values[size - 1]


@njit(cache=True, nogil=True)
def _unpack(sums, unit, plane, after):  # type: ignore[no-untyped-def]
    """Add the left shares to `plane`, which has the right ones of before, write the right ones to `after`; clear."""
    one = 1.0 / unit
    for i in range(sums.shape[0]):
        count = (sums[i] * one + _ROUND) - _ROUND
        right = sums[i] - count * unit
        plane[i] += np.float32(count - right)
        after[i] = np.float32(right)
        sums[i] = 0
