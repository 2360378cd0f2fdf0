"""The raw files that a store was made from, as far as it takes to find out later whether they are still the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class RawFile(NamedTuple):
    """One raw file as it was read: its `size` in bytes, `changed_ns` (see `file_state`) and the sha256 of its bytes."""

    size: int
    changed_ns: int
    sha256: str


class RawFiles(NamedTuple):
    """All raw files of a store: `files` by path below `folder`, which is absolute.

    `digest` is of what they hold: sha256 over sorted lines, one a sample, of what the sample is and the hash of its file.
    It has neither paths nor times in it: the same recordings have the same digest in every folder.
    """

    folder: str
    digest: str
    files: dict[str, RawFile]


def file_state(path: Path | str) -> tuple[int, int]:
    """(size in bytes, time of change in nanoseconds) of a file. Raises OSError where there is none.

    The time is the later one of the content's and the inode's: a file whose time was set back still looks changed.
    """
    stat = os.stat(path)  # noqa: PTH116  # paths may be text: a Path for each costs more than the call
    return stat.st_size, max(stat.st_mtime_ns, stat.st_ctime_ns)
