"""A file's bytes, all of them or the first, read by descriptor."""

from __future__ import annotations

import os
from pathlib import Path

from eventbench.errors import BadRecording

# Where a flag does not exist, neither does what it is against.
OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def file_bytes(path: Path | str) -> bytes:
    """A recording's bytes. Raises BadRecording when there is no such file, or nothing in it."""
    return file_head(path, None)[0]


def file_head(path: Path | str, most: int | None) -> tuple[bytes, int]:
    """The first `most` bytes of a recording, or all of it, and the file's size; raises as `file_bytes`."""
    try:
        # By descriptor, which takes a third of the time of Path.read_bytes; a named pipe would be waited for.
        file = os.open(path, OPEN)
        try:
            size = os.fstat(file).st_size
            parts, left = [], size if most is None else min(size, most)
            while left > 0 and (part := os.read(file, left)):
                parts.append(part)
                left -= len(part)
        finally:
            os.close(file)
    except OSError as error:
        raise BadRecording(f"cannot be read: {error.strerror}", where=path) from None
    if not parts:
        raise BadRecording("the file is empty (0 bytes)", where=path, fix="fetch the file again")
    return b"".join(parts), size
