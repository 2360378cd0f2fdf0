"""Kernels that copy structured events to columns, one field after the other, which is faster than all in one pass."""

from __future__ import annotations

import numpy as np
from numba import njit


def copy_columns(fields: list[np.ndarray], columns: list[np.ndarray], width: int, height: int) -> bool:
    """Copy fields t, x, y, p, (events,) each, to columns of the stored types. Returns whether all values are valid.

    Valid: time does not run backwards, x < width, y < height, polarity 0 or 1. A negative int16 becomes a uint16 of at
    least 32768, so it is found on sensors with sides up to 32768; `kernels_can_read` is False for larger ones.
    """
    for field, column in zip(fields, columns, strict=True):
        copy_field(field, column)
    t, x, y, p = columns
    return bool(
        count_backward_steps(t) == 0 and largest(x) < width and largest(y) < height and largest(p) <= 1
    )


@njit(cache=True, nogil=True)
def copy_field(field, column):  # type: ignore[no-untyped-def]
    """Copy one field of records into a column, converting to its type."""
    for i in range(column.shape[0]):
        column[i] = field[i]


@njit(cache=True, nogil=True)
def count_backward_steps(t):  # type: ignore[no-untyped-def]
    """The number of events that are earlier than the previous one."""
    count = np.int64(0)
    for i in range(1, t.shape[0]):
        count += np.int64(t[i]) < np.int64(t[i - 1])
    return count


@njit(cache=True, nogil=True)
def largest(column):  # type: ignore[no-untyped-def]
    """The largest value of an unsigned column, 0 if it is empty."""
    value = column.dtype.type(0)
    for i in range(column.shape[0]):
        value = max(value, column[i])
    return value
