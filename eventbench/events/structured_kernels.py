"""Structured events to columns, field after field: a pass each runs faster than all of them at once."""

from __future__ import annotations

import numpy as np
from numba import njit


def gather(fields: list[np.ndarray], columns: list[np.ndarray], width: int, height: int) -> bool:
    """Copy t, x, y and p of records to columns of the kept types; whether all is sound as it stands.

    Sound: time does not run backwards, x < width, y < height, polarity 0 or 1. A negative 16-bit number is over any
    side up to 32768 once it is taken for an unsigned one; a wider one must not come here.
    """
    for field, column in zip(fields, columns, strict=True):
        copy_field(field, column)
    t, x, y, p = columns
    return steps_back(t) == 0 and most(x) < width and most(y) < height and most(p) <= 1


@njit(cache=True, nogil=True)
def copy_field(field, column):  # type: ignore[no-untyped-def]
    for i in range(column.shape[0]):
        column[i] = field[i]


@njit(cache=True, nogil=True)
def steps_back(t):  # type: ignore[no-untyped-def]
    found = np.int64(0)
    for i in range(1, t.shape[0]):
        found += np.int64(t[i]) < np.int64(t[i - 1])
    return found


@njit(cache=True, nogil=True)
def most(column):  # type: ignore[no-untyped-def]
    found = column.dtype.type(0)
    for i in range(column.shape[0]):
        found = max(found, column[i])
    return found
