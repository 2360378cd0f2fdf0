"""The kernel that copies the events of a mask: every event is written, and only one that stays moves the place of writing on."""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.events.memory import columns


@njit(cache=True, nogil=True)
def copy_kept(t, x, y, p, keep, out_t, out_x, out_y, out_p):  # type: ignore[no-untyped-def]
    """Copy the events where `keep`, bool (events,), is true to columns of just their number.

    No branch depends on the mask, whose values no processor can foretell. The loop ends with the last event that stays, so
    nothing is written behind the columns.
    """
    count, i = 0, 0
    while count < out_t.shape[0]:
        out_t[count] = t[i]
        out_x[count] = x[i]
        out_y[count] = y[i]
        out_p[count] = p[i]
        count += keep[i]
        i += 1


OF_EVENTS = [np.dtype(kind).str for kind in (np.int64, np.uint16, np.uint16, np.uint8)]
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def empty_columns(like: Columns, events: int) -> Columns:
    """New columns t, x, y, p (events,) of the types of others; those of Events in memory that is used again."""
    if [column.dtype.str for column in like] == OF_EVENTS:
        t, x, y, p = columns(events)
    else:
        t, x, y, p = (np.empty(events, column.dtype) for column in like)
    return t, x, y, p


def kept_columns(t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray, keep: np.ndarray) -> Columns:
    """New columns t, x, y, p (kept,) of the events where `keep`, bool (events,), is true, in their order."""
    out = empty_columns((t, x, y, p), int(np.count_nonzero(keep)))
    copy_kept(t, x, y, p, keep, *out)
    return out
