"""Memory that a process shares with its helper: a file without a name, which grows, and is gone with the two."""

from __future__ import annotations

import mmap
import os
import tempfile

import numpy as np

GROWS_BY = 1 << 20
MOST_KEPT = 1 << 26  # bytes that stay for the next call


class SharedMemory:
    """The memory of an open file, by its descriptor, which both processes have."""

    def __init__(self, file: int) -> None:
        self.file = file
        self.map = mmap.mmap(-1, 1)

    @staticmethod
    def new_file() -> int:
        """The descriptor of an empty file without a name: in memory where the system has such."""
        if hasattr(os, "memfd_create"):
            return os.memfd_create("eventbench")
        with tempfile.TemporaryFile(prefix="eventbench-") as file:
            return os.dup(file.fileno())

    def seen(self, size: int) -> np.ndarray:
        """uint8 (size,): its first bytes. Raises MemoryError where the system has no room for so many."""
        grown = -(-size // GROWS_BY) * GROWS_BY
        if os.fstat(self.file).st_size < size:
            _grow(self.file, grown)
        if len(self.map) < size:
            self.map = mmap.mmap(self.file, grown)  # the one before lives as long as arrays of it
        return np.frombuffer(self.map, np.uint8, size)

    def shrink(self) -> None:
        """Give back what is more than MOST_KEPT. No array of it may be used any more."""
        if os.fstat(self.file).st_size > MOST_KEPT:
            os.ftruncate(self.file, 0)
            self.map = mmap.mmap(-1, 1)

    def close(self) -> None:
        """Arrays of it stay valid."""
        os.close(self.file)


def _grow(file: int, size: int) -> None:
    """Make a file larger, with room for all of it: what has none would end the process that writes to it."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, size)
        else:
            os.ftruncate(file, size)
    except OSError:
        raise MemoryError(f"no room for {size:,} bytes of shared memory") from None
