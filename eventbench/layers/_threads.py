"""Numba kernels that release the GIL, shared out over torch's number of threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import torch

# Below this many elements waking a second thread costs more than it saves.
ELEMENTS_PER_THREAD = 1 << 19

_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


def across_threads(
    kernel: Callable[..., Any], *arguments: Any, count: int, elements: int, unit: int = 1
) -> list[Any]:
    """kernel(*arguments, start, stop) over all of 0..count, in ranges that start at multiples of `unit`; what each returned.

    `elements` is how much there is to do in all.
    """
    # Plain threads and kernels without the GIL, not numba's prange: its thread pools either are a second OpenMP
    # beside torch's, which forbids fork, or must not be entered from two threads at once.
    units = -(-count // unit)
    threads = min(torch.get_num_threads(), elements // ELEMENTS_PER_THREAD, units)
    if threads < 2:
        return [kernel(*arguments, 0, count)]
    # The process is part of the key since threads do not survive a fork.
    key = (os.getpid(), threads)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(threads - 1, thread_name_prefix="eventbench")
    edges = [min(units * i // threads * unit, count) for i in range(threads + 1)]
    first, *others = pairwise(edges)
    waiting = [_pools[key].submit(kernel, *arguments, *span) for span in others]
    returned = kernel(*arguments, *first)
    return [returned, *(other.result() for other in waiting)]
