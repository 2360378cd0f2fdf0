"""The bytes of a recording's file: all of them, or only the first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from eventbench.errors import BadRecording

if TYPE_CHECKING:
    import numpy as np

# O_NONBLOCK: do not wait for a named pipe; O_BINARY: no line ends translated. A system without one needs none.
BLOCK_BYTES = 1 << 20
OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def file_bytes(path: Path | str) -> bytes:
    """A recording's bytes. Raises BadRecording when the file does not exist, cannot be read or is empty."""
    return file_head(path, None)[0]


def file_head(path: Path | str, limit: int | None, whole: int = 0) -> tuple[bytes, int]:
    """The first `limit` bytes of a recording (None: all of them) and the file's size; raises as `file_bytes`.

    A file of at most `whole` bytes is read whole.
    """
    try:
        # By descriptor, which takes a third of the time of Path.read_bytes.
        file = os.open(path, OPEN)
        try:
            size = os.fstat(file).st_size
            blocks, remaining = [], size if limit is None or size <= whole else min(size, limit)
            while remaining > 0 and (block := os.read(file, remaining)):
                blocks.append(block)
                remaining -= len(block)
        finally:
            os.close(file)
    except OSError as error:
        raise BadRecording(f"cannot be read: {error.strerror}", where=path) from None
    if not blocks:
        raise BadRecording("the file is empty (0 bytes)", where=path, fix="fetch the file again")
    return b"".join(blocks), size


def file_size(path: Path | str) -> int:
    """How many bytes a recording's file has; raises as `file_bytes`."""
    return file_head(path, 1)[1]


@contextmanager
def file_open(path: Path | str) -> Iterator[int]:
    """The descriptor of a recording's file, open for as long. Raises BadRecording where it cannot be opened."""
    try:
        file = os.open(path, OPEN)
    except OSError as error:
        raise BadRecording(f"cannot be read: {error.strerror}", where=path) from None
    try:
        yield file
    finally:
        os.close(file)


def read_into(file: int, room: np.ndarray, start: int, name: Path | str) -> None:
    """Fill uint8 (bytes,) from byte `start` of an open file on. Raises BadRecording where it has not so many."""
    view = memoryview(room)  # type: ignore[arg-type]
    while view:
        try:
            got = _read_some(file, view, start)
        except OSError as error:
            raise BadRecording(f"cannot be read: {error.strerror}", where=name) from None
        if not got:
            raise BadRecording("the file changed while it was read", where=name, fix="run the command again")
        start, view = start + got, view[got:]


def _read_some(file: int, view: memoryview, start: int) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(file, [view], start)
    os.lseek(file, start, os.SEEK_SET)  # Windows
    block = os.read(file, len(view))
    view[: len(block)] = block
    return len(block)


def file_blocks(path: Path) -> Iterator[bytes]:
    """A recording's bytes, a block at a time. Raises BadRecording when the file cannot be read."""
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(BLOCK_BYTES):
                yield block
    except OSError as error:
        raise BadRecording(f"cannot be read: {error.strerror}", where=path) from None


class FileHead(bytes):
    """The first bytes of the file at `path`, for formats whose layout only the whole file tells, as HDF5."""

    path: Path

    @classmethod
    def of(cls, head: bytes, path: Path) -> FileHead:
        """These bytes, known to be the beginning of that file."""
        known = cls(head)
        known.path = path
        return known
