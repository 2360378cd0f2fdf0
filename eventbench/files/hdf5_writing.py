"""`writing`: an HDF5 file to write, over a file in which HDF5 never sees a write fail, since it crashes after one (a full disk)."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

R = TypeVar("R")


@contextmanager
def writing(path: Path, **options: Any) -> Iterator[tuple[Any, Callable[[], None]]]:
    """A new `h5py.File` at `path`, and a function that raises the OSError that a write before it had, to be called now and then.

    It is raised at the end as well. `options` are h5py's.
    """
    import h5py

    with _Unfailing(path) as below:
        try:
            with h5py.File(below, "w", **options) as file:
                yield file, below.check
        finally:
            below.check()


class _Unfailing(io.RawIOBase):
    """A file whose first failure is kept for `check`; from then on it takes everything and writes nothing."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._path, self._failed = path, 0

    def check(self) -> None:
        """Raises OSError where a write failed."""
        if self._failed:
            raise OSError(self._failed, os.strerror(self._failed), str(self._path))

    def write(self, data: Any) -> int:
        """Take all bytes of `data`."""
        left = memoryview(data).cast("B")
        size = len(left)
        while len(left) and not self._failed:
            left = left[self._tried(self._file.write, left, otherwise=0) :]
        return size

    def readinto(self, room: Any) -> int:
        """Fill `room` from the file; what is not there is left as it is."""
        return self._tried(self._file.readinto, room, otherwise=0) or len(room)

    def truncate(self, size: int | None = None) -> int:
        """Make the file this long."""
        return self._tried(self._file.truncate, size, otherwise=size or 0)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place in the file."""
        return self._file.tell()

    def readable(self) -> bool:
        """HDF5 reads what it wrote."""
        return True

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def seekable(self) -> bool:
        """It has places."""
        return True

    def close(self) -> None:
        """Close the file below."""
        self._file.close()
        super().close()

    def _tried(self, function: Callable[..., R], *args: Any, otherwise: R) -> R:
        if self._failed:
            return otherwise
        try:
            return function(*args)
        except OSError as error:
            self._failed = error.errno or errno.EIO
            return otherwise
