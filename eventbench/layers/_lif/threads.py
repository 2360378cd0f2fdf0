"""Numba kernels that release the GIL, run on torch's own threads.

On torch's, since after each of its operations they wait for the next one on the cores that others would need: beside
them, a thread of ours gets half a core. Torch does not lend them to Python, but the OpenMP it is linked with starts them
for any function (`GOMP_parallel`, which LLVM's and Intel's OpenMP have as well); a build without it gets plain threads.
Numba's own threads would be a second OpenMP beside torch's, or must not be entered from two threads at once.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

# Below this many elements waking a second thread costs more than it saves.
ELEMENTS_PER_THREAD = 1 << 18

REGION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def across_threads(
    kernel: Callable[..., Any], *arguments: Any, count: int, elements: int, unit: int = 1
) -> list[Any]:
    """What kernel(*arguments, start, stop) returns for ranges that cover 0..count and start at multiples of `unit`.

    `elements` is how much there is to do in all.
    """
    units = -(-count // unit)
    threads = min(torch.get_num_threads(), elements // ELEMENTS_PER_THREAD, units)
    if threads < 2:
        return [kernel(*arguments, 0, count)]
    edges = [min(units * i // threads * unit, count) for i in range(threads + 1)]
    spans = list(pairwise(edges))
    region = _openmp()
    if region is None:
        return list(_pool(os.getpid(), threads).map(lambda span: kernel(*arguments, *span), spans))
    return _in_region(region, lambda span: kernel(*arguments, *span), spans)


def _in_region(region: Any, call: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    """call(item) of each, on as many threads as there are items, or as OpenMP grants."""
    waiting, results, errors = list(enumerate(items)), [None] * len(items), []

    def work(_: Any) -> None:
        while waiting:
            try:
                number, item = waiting.pop()
            except IndexError:  # another thread was faster
                return
            try:
                results[number] = call(item)
            except BaseException as error:  # noqa: BLE001  # it would be lost in a C function; raised below
                errors.append(error)

    region(REGION(work), None, len(items), 0)
    if errors:
        raise errors[0]
    return results


@cache
def _openmp() -> Any:
    """`GOMP_parallel` of the OpenMP that torch is linked with; None where there is none."""
    if "ATen parallel backend: OpenMP" not in torch.__config__.parallel_info():
        return None
    for name in ("libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.dll"):
        try:
            # Already loaded; what is looked up in it is looked up in what it is linked with as well.
            region = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / name)).GOMP_parallel
        except (OSError, AttributeError):
            continue
        region.argtypes, region.restype = [REGION, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint], None
        return region
    return None


@cache
def _pool(_process: int, threads: int) -> ThreadPoolExecutor:
    """Threads of our own, made again in each process, since they do not survive a fork."""
    return ThreadPoolExecutor(threads, thread_name_prefix="eventbench")
