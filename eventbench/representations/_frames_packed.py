"""Frames straight from packed events, as a store holds them: an address is a cell already, and times are only summed up where frames meet."""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.events.packed import LONG, PackedEvents
from eventbench.representations._frames_batch import IN_KERNEL
from eventbench.representations._frames_kernels import all_there

SPAN = 128  # events whose times are summed up at once


def count_packed(packed: PackedEvents, split_by: str, limit: int, flat: np.ndarray) -> tuple[int, int]:
    """Fill `flat` (T, cells); how many events fell into a frame, and how many of those no cell could take."""
    by_time, rest = IN_KERNEL[split_by]
    n, bins = len(packed.dt), len(flat)
    cuts = np.zeros(bins + 1, np.int64)
    if by_time:
        _cut_packed(packed.dt, packed.long_row, packed.long_dt, cuts)
    else:
        cuts[:] = np.arange(bins + 1) * (n // bins)
    if rest:
        cuts[bins] = n
    return int(cuts[bins]), _count(packed.address, cuts, limit, flat)


@njit(cache=True, nogil=True)
def _gap(dt, i, long_dt, longs):  # type: ignore[no-untyped-def]
    """Time from event i - 1 to event i, modulo 2**64, and the long differences up to i."""
    if dt[i] == LONG:
        return np.uint64(long_dt[longs]), longs + 1
    return np.uint64(dt[i]), longs


@njit(cache=True, nogil=True)
def _sum(dt):  # type: ignore[no-untyped-def]
    total = np.uint32(0)
    for gap in dt:
        total += np.uint32(gap)
    return np.uint64(total)


@njit(cache=True, nogil=True)
def _cut_packed(dt, long_row, long_dt, cuts):  # type: ignore[no-untyped-def]  # noqa: C901  # one pass, whose state would have to be handed around
    """cuts[k] becomes the first event at or after k * width, width the span // (cuts - 1); as `cut_every` has it."""
    n, bins = dt.shape[0], cuts.shape[0] - 1
    if n == 0:
        return
    # Sums modulo 2**64 of the differences since the first event: exact for any two int64 times.
    span = np.uint64(0)
    for start in range(0, n, SPAN):
        span += _sum(dt[start : start + SPAN])
    for gap in long_dt:
        span += np.uint64(gap) - np.uint64(LONG)
    width = span // np.uint64(bins)
    k, edge = 1, width
    now, longs = np.uint64(0), 0
    for start in range(0, n, SPAN):
        stop = min(start + SPAN, n)
        after, more = now + _sum(dt[start:stop]), longs
        while more < long_row.shape[0] and long_row[more] < stop:
            after += np.uint64(long_dt[more]) - np.uint64(LONG)
            more += 1
        if k > bins:
            break
        if after < edge:  # no frame begins among these
            now, longs = after, more
            continue
        for i in range(start, stop):
            gap, longs = _gap(dt, i, long_dt, longs)
            now += gap
            while k <= bins and now >= edge:
                cuts[k] = i
                k += 1
                edge = np.uint64(k) * width
    while k <= bins:
        cuts[k] = n
        k += 1


@njit(cache=True, nogil=True)
def _count(address, cuts, limit, flat):  # type: ignore[no-untyped-def]
    one, top, lost = flat.dtype.type(1), flat.dtype.type(limit), 0
    for k in range(flat.shape[0]):
        frame, cells = flat[k], address[cuts[k] : cuts[k + 1]]
        events = cells.shape[0]
        frame[:] = 0
        for cell in cells:
            frame[cell] += one
        if events <= limit or all_there(frame, limit, events):
            continue
        frame[:] = 0
        for cell in cells:
            frame[cell] += frame[cell] < top
        total = np.int64(0)
        for count in frame:
            total += np.int64(count)
        lost += events - total
    return lost
