"""Zstandard frames unpacked by the filter of HDF5 that comes with hdf5plugin: a frame is a chunk of a dataset in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

_MAGIC = 0xFD2FB528
_BLOCK = 1 << 17
_FILES = itertools.count()  # several threads may have one open, each of a name of its own


def stated_size(frame: bytes) -> int | None:
    """Bytes that a frame says it holds; None where it does not say, or is no frame of Zstandard (RFC 8878)."""
    if len(frame) < 6 or int.from_bytes(frame[:4], "little") != _MAGIC:
        return None
    flags = frame[4]
    single, kind = flags >> 5 & 1, flags >> 6
    if not kind and not single:
        return None
    width = (1, 2, 4, 8)[kind]
    at = 5 + (not single) + (0, 1, 2, 4)[flags & 3]
    size = int.from_bytes(frame[at : at + width], "little")
    return size + 256 if width == 2 else size


def most_bytes(data: bytes) -> int:
    """Bytes that Zstandard frames unpack to at most, from the heads of their blocks."""
    at, end = 0, len(data)
    total = 0
    while at + 5 <= end:
        if int.from_bytes(data[at : at + 4], "little") & 0xFFFFFFF0 == 0x184D2A50:  # a frame to skip
            at += 8 + (int.from_bytes(data[at + 4 : at + 8], "little") if at + 8 <= end else 0)
            continue
        flags = data[at + 4]
        single = flags >> 5 & 1
        at += 5 + (not single) + (0, 1, 2, 4)[flags & 3] + (single, 2, 4, 8)[flags >> 6]
        last = 0
        while not last and at + 3 <= end:
            head = int.from_bytes(data[at : at + 3], "little")
            last, kind, size = head & 1, head >> 1 & 3, head >> 3
            total += _BLOCK if kind == 2 else size
            at += 3 + (1 if kind == 1 else size)
        at += 4 * (flags >> 2 & 1)
    return total


@contextmanager
def unpacker() -> Iterator[Callable[[bytes, int], np.ndarray | None]]:
    """A function of a frame and the size that it states: uint8 (size,), what the frame holds, or None where it is damaged."""
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
