"""Frames straight from a structured array: records are looked at once, a block at a time, and no columns are kept of them."""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.events.structured_kernels import copy_field, count_backward_steps, largest
from eventbench.representations._frames_batch import IN_KERNEL
from eventbench.representations._frames_kernels import add_events, all_there
from eventbench.representations._slices import cut_every

BLOCK = 2048  # records whose fields, taken apart, stay in the L1 cache


def count_structured(
    fields: list[np.ndarray], split_by: str, limit: int, width: int, height: int, flat: np.ndarray
) -> int | None:
    """Fill `flat` (T, cells) from the fields t, x, y, p of records; how many events fell into a frame.

    None where the records are not sound as they stand, or a cell would pass `limit`: then they must be taken the long way,
    which says what is wrong or counts what is lost.
    """
    by_time, rest = IN_KERNEL[split_by]
    t, n, bins = fields[0], len(fields[0]), len(flat)
    cuts = np.zeros(bins + 1, np.int64)
    if by_time:
        span = int(t[-1]) - int(t[0])
        if span < 0:
            return None
        cut_every(t, np.uint64(span // bins), cuts)
    else:
        cuts[:] = np.arange(bins + 1) * (n // bins)
    if rest:
        cuts[bins] = n
    if (np.diff(cuts) < 0).any():  # times that run backwards have no order to search in
        return None
    t, x, y, p = fields
    return int(cuts[bins]) if _count_blocks(t, x, y, p, cuts, width, height, limit, flat) else None


@njit(cache=True, nogil=True)
def _count_blocks(tf, xf, yf, pf, cuts, width, height, limit, flat):  # type: ignore[no-untyped-def]  # noqa: C901  # one pass, each record looked at once
    n, bins, area = tf.shape[0], flat.shape[0], width * height
    t, p = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.uint8)
    x, y = np.empty(BLOCK, np.uint16), np.empty(BLOCK, np.uint16)
    words = np.empty(BLOCK // (4 if area <= 2**15 else 2), np.uint64)
    last, k = np.int64(tf[0]), 0
    flat[0][:] = 0
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        stop = start + size
        copy_field(tf[start:stop], t[:size])
        copy_field(xf[start:stop], x[:size])
        copy_field(yf[start:stop], y[:size])
        copy_field(pf[start:stop], p[:size])
        if t[0] < last or count_backward_steps(t[:size]) > 0:
            return False
        last = t[size - 1]
        if largest(x[:size]) >= width or largest(y[:size]) >= height or largest(p[:size]) > 1:
            return False
        at = start
        while at < stop:
            while k < bins and cuts[k + 1] <= at:
                if not _fits(flat[k], limit, cuts[k + 1] - cuts[k]):
                    return False
                k += 1
                if k < bins:
                    flat[k][:] = 0
            if k == bins:
                break
            end = min(stop, cuts[k + 1])
            some = slice(at - start, end - start)
            add_events(x[some], y[some], p[some], width, area, words, flat[k])
            at = end
    if k < bins and not _fits(flat[k], limit, cuts[k + 1] - cuts[k]):
        return False
    for empty in range(k + 1, bins):
        flat[empty][:] = 0
    return True


@njit(cache=True, nogil=True)
def _fits(frame, limit, events):  # type: ignore[no-untyped-def]
    return events <= limit or all_there(frame, limit, events)
