"""Bytes as a file, for libraries that take paths only."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_file(data: bytes) -> Iterator[Path]:
    """A file with these bytes, gone afterwards."""
    with tempfile.NamedTemporaryFile(prefix="eventbench-") as file:
        file.write(data)
        file.flush()
        yield Path(file.name)
