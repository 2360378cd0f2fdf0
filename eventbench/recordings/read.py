"""`eb.read` and `eb.read_batch`: the events of recordings, their format recognised by content, then by name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from os import PathLike
from pathlib import Path

from eventbench import registry
from eventbench.errors import BadRecording
from eventbench.events import EventBatch, Events
from eventbench.files.content import file_bytes, file_head
from eventbench.files.hdf5 import is_hdf5
from eventbench.sources.base import Source

HEAD_BYTES = 1 << 16  # enough to know every format, or that a file is HDF5


@cache  # asked once a recording
def _sources() -> list[type[Source]]:
    return [registry.sources.get(name) for name in registry.sources.names()]


def recognise(data: bytes, path: Path, size: int | None = None) -> Source:
    """The source that reads such bytes: the one that recognises them, or, for formats without a header, resembles them.

    The file's ending decides only between formats without a header. `size` is the file's where `data` is only its
    beginning. Raises BadRecording, naming the endings that are known.
    """
    sources = _sources()
    for source in sources:
        if source.recognises(data):
            return source()
    named = [source for source in sources if not source.magics and path.suffix.lower() in source.suffixes]
    for source in [*named, *sources]:
        if source.resembles(data, size):
            return source()
    if named:
        return named[0]()
    known = sorted({suffix for source in sources for suffix in source.suffixes})
    raise BadRecording(
        f"no known format: first bytes {data[:8]!r}, ending {path.suffix!r}",
        where=path,
        allowed=", ".join(known),
    )


def _source_of(path: Path) -> Source:
    head, size = file_head(path, HEAD_BYTES)
    # What is in an HDF5 file, and with it the layout, is known from all of it only.
    return recognise(file_bytes(path) if is_hdf5(head) else head, path, size)


def read(path: str | PathLike[str], sensor: tuple[int, int] | None = None) -> Events:
    """The events of one recording.

    Parameters
    ----------
    path : a file in any of the formats `eventbench ls sources` lists
    sensor : (width, height) in pixels; None takes it from the file or, where the format does not say,
        the smallest sensor that holds every event

    Raises BadRecording, in one line that names the file, when it is no recording or a damaged one.
    """
    path = Path(path)
    return _source_of(path).read(path, sensor)


def read_batch(paths: Iterable[str | PathLike[str]], sensor: tuple[int, int] | None = None) -> EventBatch:
    """The events of many recordings of one format and one sensor, end to end, ready for `eb.frames`.

    The format is that of the first file; another among them is refused. Reading them together costs a fraction of one
    `read` each where recordings are short. Raises BadRecording as `read` does, and where there is no path.
    """
    files = [path if isinstance(path, Path) else os.fspath(path) for path in paths]
    if not files:
        raise BadRecording("no recording to read", fix="name at least one file")
    return _source_of(Path(files[0])).decode_many(files, sensor)
