"""Frames of many recordings in one call: cuts and counts of all are made inside the kernel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from eventbench.events import EventBatch
from eventbench.representations._frames_kernels import count_slices
from eventbench.representations._slices import FIXED_CUTS, cut_every

# What the kernels cut by themselves; every other rule cuts one recording at a time.
IN_KERNEL = {rule: cut for rule, cut in FIXED_CUTS.items() if rule != "spikingjelly_time"}


@njit(cache=True, nogil=True)
def _count_recordings(
    t, x, y, p, offsets, first, last, by_time, rest, width, area, limit, flat, binned, lost
):  # type: ignore[no-untyped-def]
    bins = flat.shape[1]
    cuts, by_frame = np.zeros(bins + 1, np.int64), np.zeros(bins, np.int64)
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        n = stop - start
        ts = t[start:stop]
        if by_time:
            cuts[:] = 0
            if n:
                # Unsigned: the span of any two int64 fits.
                cut_every(ts, (np.uint64(ts[n - 1]) - np.uint64(ts[0])) // np.uint64(bins), cuts)
        else:
            for k in range(bins + 1):
                cuts[k] = k * (n // bins)
        if rest:
            cuts[bins] = n
        binned[i] = cuts[bins]
        lost[i] = count_slices(
            x[start:stop], y[start:stop], p[start:stop], cuts, 0, bins, width, area, limit, flat[i], by_frame
        )


def count_batch(
    batch: EventBatch, split_by: str, limit: int, flat: np.ndarray, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fill `flat` (N, T, cells); int64 (N,) events that fell into a frame, and of those that no cell could take."""
    by_time, rest = IN_KERNEL[split_by]
    width, height = batch.sensor
    binned, lost = np.zeros(len(batch), np.int64), np.zeros(len(batch), np.int64)

    def fill(first: int, last: int) -> None:
        columns = (batch.t, batch.x, batch.y, batch.p, batch.offsets)
        _count_recordings(
            *columns, first, last, by_time, rest, width, width * height, limit, flat, binned, lost
        )

    threads = max(1, min(threads, len(batch)))
    if threads == 1:
        fill(0, len(batch))
        return binned, lost
    ends = [len(batch) * k // threads for k in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:  # whole recordings to each: no two write the same cell
        for _ in pool.map(fill, ends[:-1], ends[1:]):
            pass
    return binned, lost
