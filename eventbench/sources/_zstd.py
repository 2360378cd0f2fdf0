"""Zstandard frames unpacked by the filter of HDF5 that comes with hdf5plugin: a frame is a chunk of a dataset in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_MAGIC = 0xFD2FB528
_BLOCK = 1 << 17


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

    filters: Any = hdf5plugin.Zstd()
    with h5py.File("frames", "w", driver="core", backing_store=False) as file:

        def unpacked(frame: bytes, size: int) -> np.ndarray | None:
            try:
                chunk = file.create_dataset(None, (size,), np.uint8, chunks=(size,), **filters)
                chunk.id.write_direct_chunk((0,), frame)
                out: np.ndarray = chunk[:]
            except (OSError, RuntimeError, ValueError):
                return None
            return out

        yield unpacked
