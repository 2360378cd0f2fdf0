"""`across_threads`: runs Numba kernels that release the GIL on torch's own threads.

After each operation, torch's threads spin while they wait for the next one, so that other threads beside them get half
a core. Torch has no Python interface to its threads, but the OpenMP library that it is linked with runs any function on
them (`GOMP_parallel`, also in LLVM's and Intel's OpenMP). A torch build without OpenMP gets plain threads. Numba's own
threads would be a second OpenMP beside torch's, or must not be entered from two threads at once.
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

# Below this many elements, waking a second thread costs more than it saves.
ELEMENTS_PER_THREAD = 1 << 18

REGION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def across_threads(
    kernel: Callable[..., Any], *arguments: Any, count: int, elements: int, unit: int = 1
) -> list[Any]:
    """The results of kernel(*arguments, start, stop) for ranges that cover 0..count and start at multiples of `unit`.

    `elements` is the total amount of work, from which the number of threads follows.
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
    """The results of call(item), on as many threads as items, or as OpenMP provides."""
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
    """`GOMP_parallel` of the OpenMP that torch is linked with; None if there is none."""
    if "ATen parallel backend: OpenMP" not in torch.__config__.parallel_info():
        return None
    for name in ("libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.dll"):
        try:
            # The library is loaded already; a symbol is also looked up in the libraries that it is linked with.
            region = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / name)).GOMP_parallel
        except (OSError, AttributeError):
            continue
        region.argtypes, region.restype = [REGION, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint], None
        return region
    return None


@cache
def _pool(_process: int, threads: int) -> ThreadPoolExecutor:
    """A pool of plain threads for this process; a forked process needs a new one."""
    return ThreadPoolExecutor(threads, thread_name_prefix="eventbench")
