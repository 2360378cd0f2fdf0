"""The body of a large binary file, a block at a time, in memory that is used again: of bytes at hand, or from the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventbench.events.memory import memory
from eventbench.files.content import file_head, file_open, read_into

BLOCK_BYTES = 1 << 20  # stays in the cache between reading and decoding
LARGE = 1 << 22  # bytes from which a file is not looked at as a whole,
SPREAD, LOOKED_AT = 16, 1 << 20  # but in so many places, and so many bytes of it
SMALL = 1 << 18  # bytes of a file that is read whole: opening it again takes longer
HEAD_BYTES = 1 << 17  # of any other, in which its header is


class Body(NamedTuple):
    """Bytes `start` to `stop` of the file at `path`, which are whole records; they are in `data` where that is given."""

    path: Path
    start: int
    stop: int
    data: bytes = b""

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.stop - self.start

    def words(self, size: int) -> int:
        """How many words of so many bytes it has."""
        return self.size // size

    def spread(self, record: int) -> list[Body]:
        """Parts of it that lie all over, of whole records of so many bytes: one where it is not large."""
        if self.size <= LARGE:
            return [self]
        size = LOOKED_AT // SPREAD // record * record
        step = (self.size - size) // (SPREAD - 1) // record * record
        starts = [self.start + k * step for k in range(SPREAD)]
        return [self._replace(start=start, stop=start + size) for start in starts]

    @property
    def block_count(self) -> int:
        """How many blocks it has."""
        return -(-self.size // BLOCK_BYTES)

    def blocks(self, kind: str) -> Iterator[np.ndarray]:
        """Arrays of that type; each is valid until the next one is asked for. Raises BadRecording where the file is shorter."""
        if self.data:
            for at in range(self.start, self.stop, BLOCK_BYTES):
                size = min(BLOCK_BYTES, self.stop - at)
                yield np.frombuffer(self.data, np.uint8, size, at).view(kind)
            return
        buffer = memory(BLOCK_BYTES)
        view = buffer.view()
        view.flags.writeable = False  # as arrays of bytes at hand are: kernels are compiled once
        with file_open(self.path) as file:
            for at in range(self.start, self.stop, BLOCK_BYTES):
                size = min(BLOCK_BYTES, self.stop - at)
                read_into(file, buffer[:size], at, self.path)
                yield view[:size].view(kind)


def head_of(path: Path) -> tuple[bytes, int]:
    """The beginning of a file, all of a small one, and its size. Raises BadRecording as `file_bytes` does."""
    return file_head(path, HEAD_BYTES, SMALL)
