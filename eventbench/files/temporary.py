"""Bytes as a temporary file, for libraries that only take paths."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_file(data: bytes) -> Iterator[Path]:
    """A temporary file with these bytes, deleted afterwards."""
    with tempfile.NamedTemporaryFile(prefix="eventbench-") as file:
        file.write(data)
        file.flush()
        yield Path(file.name)
