"""Temporary files: bytes for libraries that only take paths, and what becomes another file when it is complete."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventbench.errors import BadSpec

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room, or none for this user, or in this file


@contextmanager
def as_file(data: bytes) -> Iterator[Path]:
    """A temporary file with these bytes, deleted afterwards."""
    with tempfile.NamedTemporaryFile(prefix="eventbench-") as file:
        file.write(data)
        file.flush()
        yield Path(file.name)


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A temporary file in the folder of `out`: renamed to `out` if the block succeeds, and on the disk, else deleted.

    Raises BadSpec where it cannot be made, or the disk is full.
    """
    try:
        number, name = tempfile.mkstemp(prefix=f".{out.stem}-", suffix=out.suffix, dir=out.parent)
    except OSError as error:
        raise BadSpec(f"cannot be written: {error.strerror}", where=out) from None
    os.close(number)
    path = Path(name)
    try:
        yield path
        mask = os.umask(0)
        os.umask(mask)
        path.chmod(0o666 & ~mask)  # the permissions of any new file; a temporary one is private
        with path.open("rb") as written:
            os.fsync(written.fileno())  # a name must not outlive a crash that its bytes do not
        path.replace(out)
    except OSError as error:
        if error.errno not in FULL:
            raise
        fix = "make room, or choose another folder; nothing was kept"
        raise BadSpec(f"cannot be written: {os.strerror(error.errno)}", where=out, fix=fix) from None
    finally:
        path.unlink(missing_ok=True)
