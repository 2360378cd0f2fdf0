"""Cuts at any whole microseconds since the first event, found by binary search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit


def cut_at(t: np.ndarray, since: Sequence[int]) -> np.ndarray:
    """int64 (len(since) + 1,): the index of the first event at or after t[0] + since[k], then the number of events.

    `since` is non-decreasing and of at least 0.
    """
    cuts = np.full(len(since) + 1, len(t), np.int64)
    if len(t):
        _search(t, np.array(since, np.uint64), cuts)
    return cuts


@njit(cache=True, nogil=True)
def _search(t, since, cuts):  # type: ignore[no-untyped-def]
    # Unsigned differences are exact for any two int64, also where a signed one would wrap.
    start, low = np.uint64(t[0]), 0
    for k in range(since.shape[0]):
        high = t.shape[0]
        while low < high:
            middle = (low + high) >> 1
            if np.uint64(t[middle]) - start < since[k]:
                low = middle + 1
            else:
                high = middle
        cuts[k] = low
