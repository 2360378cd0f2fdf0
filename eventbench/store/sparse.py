"""Sparse frames: each cell that is not zero as the number of zeros before it and its value. LAYOUT.md has the definition."""

from __future__ import annotations

import numpy as np
from numba import njit

LONGEST_GAP = 255  # zeros one gap can count
BLOCK = 8192  # cells looked at together: their places fit the L1 cache


def encode_sparse(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """gap uint8 (entries,) and value (entries,) of an array of any shape, in the array's type.

    Where that would take as many bytes as the array itself, the value is the whole array, flat, and the gap is empty.
    """
    flat = np.ascontiguousarray(frames).reshape(-1)
    bits = flat.view(f"u{flat.itemsize}")
    room = flat.nbytes // (1 + flat.itemsize)
    gap, value = np.empty(room, np.uint8), np.empty(room, bits.dtype)
    entries = _encode(bits, gap, value)
    if entries > room:
        return gap[:0], flat
    return gap[:entries], value[:entries].view(flat.dtype)


def decode_sparse(gap: np.ndarray, value: np.ndarray, out: np.ndarray) -> bool:
    """Fill `out`, C-contiguous and of value's type; False, and `out` is in no state, where the entries do not fit it."""
    flat = out.reshape(-1)
    if not len(gap) and len(value) == len(flat):
        flat[:] = value
        return True
    return len(gap) == len(value) and bool(
        _decode(gap, value.view(f"u{value.itemsize}"), flat.view(f"u{flat.itemsize}"))
    )


@njit(cache=True, nogil=True)
def _nonzero(cells, at):
    """Write the places of the cells that are not zero to `at`, which has room for one more than there are cells."""
    count, n = np.uint64(0), cells.shape[0]
    per_word = 8 // cells.itemsize
    words = cells[: n // per_word * per_word].view(np.uint64)
    for w in range(words.shape[0]):
        if words[w] == 0:
            continue
        # Written whether it is zero or not, and passed over only if it is not: no branch to guess wrong.
        for i in range(w * per_word, w * per_word + per_word):
            at[count] = i
            count += np.uint64(cells[i] != 0)
    for i in range(words.shape[0] * per_word, n):
        at[count] = i
        count += np.uint64(cells[i] != 0)
    return np.int64(count)


@njit(cache=True, nogil=True)
def _encode(cells, gap, value):
    """The number of entries; one more than there is room for where they have none."""
    room, entries, last = gap.shape[0], 0, np.int64(-1)
    at = np.empty(BLOCK + 1, np.uint16)
    for start in range(0, cells.shape[0], BLOCK):
        block = cells[start : start + BLOCK]
        for place in at[: _nonzero(block, at)]:
            zeros = start + np.int64(place) - last - 1
            last += zeros + 1
            while zeros > LONGEST_GAP:  # a longer run is broken by entries of value 0
                if entries >= room:
                    return room + 1
                gap[entries], value[entries] = LONGEST_GAP, 0
                entries += 1
                zeros -= LONGEST_GAP + 1
            if entries >= room:
                return room + 1
            gap[entries], value[entries] = zeros, block[place]
            entries += 1
    return entries


@njit(cache=True, nogil=True)
def _decode(gap, value, cells):
    reach = np.uint64(gap.shape[0])
    for zeros in gap:
        reach += np.uint64(zeros)
    if reach > np.uint64(cells.shape[0]):
        return False
    cells[:] = 0
    passed = np.uint64(0)  # unsigned: a signed index is tested for being negative
    for i in range(gap.shape[0]):
        passed += np.uint64(gap[i])
        cells[passed + np.uint64(i)] = value[i]
    return True
