"""Zstandard frames unpacked by the library that comes with hdf5plugin, as its filter of HDF5: the wheels of hdf5plugin have its
functions beside the filter, and where a build of it has not, a frame is a chunk of a dataset in memory.
"""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit

from eventbench.sources._aedat.addresses import load_8, load_16, load_32, load_64

_MAGIC = 0xFD2FB528
_SKIPPED = 0x184D2A50
_BLOCK = 1 << 17
_FILES = itertools.count()  # several threads may have one open, each of a name of its own
_CONTEXTS: list[int] = []  # that nobody uses now: each is for one thread at a time

Unpack = Callable[[bytes, int], "np.ndarray | None"]


def stated_size(frame: bytes) -> int | None:
    """Bytes that a frame says it holds; None where it does not say, or is no frame of Zstandard (RFC 8878)."""
    stated, _ = _sizes_of_array(np.frombuffer(frame, np.uint8))
    return None if stated < 0 else int(stated)


def most_bytes(data: bytes) -> int:
    """Bytes that Zstandard frames unpack to at most, from the heads of their blocks."""
    return int(_sizes_of_array(np.frombuffer(data, np.uint8))[1])


@njit(cache=True, nogil=True)
def _sizes_of_array(frame):  # type: ignore[no-untyped-def]
    return frame_sizes(frame.ctypes.data, 0, frame.shape[0])


@njit(cache=True, nogil=True)
def frame_sizes(data, start, end):  # type: ignore[no-untyped-def]
    """(Bytes that the frame at `start` says it holds, or -1; bytes that all up to `end` unpack to at most)."""
    return _stated(data + start, end - start), _most(data + start, end - start)


@njit(cache=True, nogil=True)
def _stated(data, length):  # type: ignore[no-untyped-def]
    if length < 6 or load_32(data) != _MAGIC:
        return -1
    flags = load_8(data + 4)
    single, kind = flags >> 5 & 1, flags >> 6
    if kind == 0 and single == 0:
        return -1
    at = 5 + (1 - single) + (1 << (flags & 3) >> 1)
    if at + (1 << kind) > length:
        return -1
    if kind == 0:
        return load_8(data + at)
    if kind == 1:
        return load_16(data + at) + 256
    return load_32(data + at) if kind == 2 else load_64(data + at)


@njit(cache=True, nogil=True)
def _most(data, end):  # type: ignore[no-untyped-def]
    at, total = 0, 0
    while at + 5 <= end:
        if load_32(data + at) & 0xFFFFFFF0 == _SKIPPED:
            at += 8 + (load_32(data + at + 4) if at + 8 <= end else 0)
            continue
        flags = load_8(data + at + 4)
        single, kind = flags >> 5 & 1, flags >> 6
        at += 5 + (1 - single) + (1 << (flags & 3) >> 1) + (1 << kind if kind else single)
        last = 0
        while last == 0 and at + 3 <= end:
            head = load_16(data + at) | load_8(data + at + 2) << 16
            last, how, size = head & 1, head >> 1 & 3, head >> 3
            total += _BLOCK if how == 2 else size
            at += 3 + (1 if how == 1 else size)
        at += 4 * (flags >> 2 & 1)
    return total


class Functions(NamedTuple):
    """Addresses of what unpacks a frame in one call, and of a context of its, which one thread may use at a time."""

    unpack: int
    context: int


@contextmanager
def functions() -> Iterator[Functions | None]:
    """What kernels can call to unpack frames; None where this build of hdf5plugin has the filter only."""
    library = _library()
    if library is None:
        yield None
        return
    context = _CONTEXTS.pop() if _CONTEXTS else library.ZSTD_createDCtx()
    try:
        address = ctypes.cast(library.ZSTD_decompressDCtx, ctypes.c_void_p).value
        yield Functions(address or 0, context) if address and context else None
    finally:
        if context:
            _CONTEXTS.append(context)


@cache
def _library() -> ctypes.CDLL | None:
    found = importlib.util.find_spec("hdf5plugin")
    for folder in (found.submodule_search_locations or []) if found else []:
        for path in sorted(Path(folder, "plugins").glob("*h5zstd.*")):
            try:
                library = ctypes.CDLL(str(path))
                library.ZSTD_createDCtx.restype = ctypes.c_void_p
                library.ZSTD_decompressDCtx.restype = ctypes.c_size_t
            except (OSError, AttributeError):
                continue
            return library
    return None


@contextmanager
def unpacker() -> Iterator[Unpack]:
    """A function of a frame and the size that it states: uint8 (size,), what the frame holds, or None where it is damaged."""
    with functions() as found:
        library = _library()
        if found is None or library is None:
            with _by_the_filter() as unpacked_by_the_filter:
                yield unpacked_by_the_filter
            return

        def unpacked(frame: bytes, size: int) -> np.ndarray | None:
            out = np.empty(size, np.uint8)
            target, sizes = (
                ctypes.c_void_p(out.ctypes.data),
                (ctypes.c_size_t(size), ctypes.c_size_t(len(frame))),
            )
            written = library.ZSTD_decompressDCtx(
                ctypes.c_void_p(found.context), target, sizes[0], frame, sizes[1]
            )
            return out if written == size else None

        yield unpacked


@contextmanager
def _by_the_filter() -> Iterator[Unpack]:
    import h5py
    import hdf5plugin

    h5d, h5p, h5s = (
        h5py.h5d,
        h5py.h5p,
        h5py.h5s,
    )  # beneath h5py's own objects, which take longer to make than to unpack
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fapl_core(1 << 16, False)
    file = h5py.h5f.create(b"frames %d" % next(_FILES), h5py.h5f.ACC_TRUNC, fapl=access)

    def unpacked(frame: bytes, size: int) -> np.ndarray | None:
        out = np.empty(size, np.uint8)
        options = h5p.create(h5p.DATASET_CREATE)
        options.set_chunk((size,))
        options.set_filter(hdf5plugin.Zstd.filter_id, h5py.h5z.FLAG_MANDATORY, (3,))
        try:
            space = h5s.create_simple((size,))
            dataset = h5d.create(file, None, h5py.h5t.NATIVE_UINT8, space, dcpl=options)
            dataset.write_direct_chunk((0,), frame)
            dataset.read(h5s.ALL, h5s.ALL, out)
        except (OSError, RuntimeError, ValueError):
            return None
        return out

    try:
        yield unpacked
    finally:
        file.close()
