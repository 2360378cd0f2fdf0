"""Frames as what is not zero in them: how many zeros before it, and its value. LAYOUT.md has the definition."""

from __future__ import annotations

import numpy as np
from numba import njit

WIDEST = 255  # zeros one gap can say


def encode_sparse(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """gap uint8 (entries,) and value (entries,) of an array of any shape, in the array's type.

    Where that would take as many bytes as the array itself, the value is the whole array, flat, and the gap is empty.
    """
    flat = np.ascontiguousarray(frames).reshape(-1)
    bits = flat.view(f"u{flat.itemsize}")
    most = flat.nbytes // (1 + flat.itemsize)
    gap, value = np.empty(most, np.uint8), np.empty(most, bits.dtype)
    entries = _encode(bits, gap, value)
    if entries > most:
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
def _encode(cells, gap, value):  # type: ignore[no-untyped-def]
    """The number of entries; one more than there is room for where they have none."""
    entries, most, zeros = 0, gap.shape[0], 0
    n = cells.shape[0]
    whole = cells.itemsize * n // 8 * 8 // cells.itemsize
    words = cells[:whole].view(np.uint64)
    a_word = 8 // cells.itemsize
    for w in range(words.shape[0]):
        if words[w] == 0:
            zeros += a_word
            continue
        for i in range(w * a_word, w * a_word + a_word):
            if cells[i] == 0:
                zeros += 1
                continue
            entries, zeros = _past(zeros, gap, value, entries)
            if entries >= most:
                return most + 1
            gap[entries], value[entries] = zeros, cells[i]
            entries, zeros = entries + 1, 0
    for i in range(whole, n):
        if cells[i] == 0:
            zeros += 1
            continue
        entries, zeros = _past(zeros, gap, value, entries)
        if entries >= most:
            return most + 1
        gap[entries], value[entries] = zeros, cells[i]
        entries, zeros = entries + 1, 0
    return entries


@njit(cache=True, nogil=True)
def _past(zeros, gap, value, entries):  # type: ignore[no-untyped-def]
    """A run longer than a gap can say is broken by zeros that are told as values."""
    while zeros > WIDEST:
        if entries < gap.shape[0]:
            gap[entries], value[entries] = WIDEST, 0
        entries += 1
        zeros -= WIDEST + 1
    return entries, zeros


@njit(cache=True, nogil=True)
def _decode(gap, value, cells):  # type: ignore[no-untyped-def]
    reach = np.int64(gap.shape[0])
    for zeros in gap:
        reach += np.int64(zeros)
    if reach > cells.shape[0]:
        return False
    cells[:] = 0
    at = np.int64(-1)
    for i in range(gap.shape[0]):
        at += np.int64(gap[i]) + 1
        cells[at] = value[i]
    return True
