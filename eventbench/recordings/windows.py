"""Opening a long recording: what one pass over it finds is kept in the cache, so that windows of it are read at once."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import msgspec
import numpy as np

from eventbench import digest, registry
from eventbench.errors import BadRecording, BadStore
from eventbench.files.progress import Progress, no_progress
from eventbench.recordings import index_files
from eventbench.recordings._held import HeldEvents
from eventbench.recordings._scanned import ScannedEvents, require_unchanged
from eventbench.recordings.index_files import Index
from eventbench.recordings.read import Reading, source_of
from eventbench.recordings.recording import EventsOf, Recording
from eventbench.sources.base import Decoded, Scan, Source
from eventbench.specs.raw_files import file_state

SMALL_BYTES = 1 << 22  # a file of at most so many bytes is decoded at once, which is faster than to cut it,
SMALL_EVENTS = 1 << 20  # and its events, if there are no more, stay in memory
Arrays = dict[str, np.ndarray]


def open_recording(
    path: str | PathLike[str],
    reading: Reading | None = None,
    *,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Recording:
    """A recording, opened to read windows of it; the first opening goes through the whole file once.

    What that finds is kept below `cache`, and found there the next time as long as the file and the way it is read are
    the same; None keeps nothing. A file whose source does not know how to cut it is decoded once, whole, and its columns
    are kept; a small one is held in memory. Raises what `eb.read` of the file raises, and BadStore where the cache
    cannot be written.
    """
    path, reading = Path(path), reading or Reading()
    return open_with(source_of(path, reading), path, reading.sensor, cache=cache, progress=progress)


def open_with(
    source: Source,
    path: Path,
    sensor: tuple[int, int] | None = None,
    *,
    cache: Path | None = None,
    keep_columns: bool = True,
    may_not_keep: bool = False,
    progress: Progress = no_progress,
) -> Recording:
    """As `open_recording`, by a source that is known.

    Without `keep_columns` those of a file that was decoded whole go to a temporary file, and are decoded again the next time.
    With `may_not_keep`, a cache that cannot be written is done without: the next opening goes through the file again.
    """
    try:
        state = file_state(path)
    except OSError:
        state = -1, -1
    decoded = None
    if state[0] <= SMALL_BYTES:  # or there is none, as reading it says
        decoded = source.read_counted(path, sensor)
        if len(decoded.events) <= SMALL_EVENTS:
            return Recording.of(decoded, path)
    opening = _Opening(source, path, sensor, state, cache, keep_columns, may_not_keep)
    return opening.found() or opening.made(decoded, progress)


def extent_of(source: Source, path: Path, sensor: tuple[int, int] | None, *, cache: Path | None) -> Index:
    """What is known of a recording without its events; kept for small files as well, so that they are not read again."""
    try:
        state = file_state(path)
    except OSError:
        state = -1, -1
    opening = _Opening(source, path, sensor, state, cache, keep_columns=False)
    if found := opening.found():
        return found.index
    recording = open_with(source, path, sensor, cache=cache, keep_columns=False)
    if cache is not None and not recording.index.made_from:
        made_from = opening.made_from
        index = msgspec.structs.replace(recording.index, made_from=made_from)
        index_files.keep(index_files.index_path(cache, made_from), index, {})
    return recording.index


class _Opening(NamedTuple):
    """A file to be opened, `state` as it is now."""

    source: Source
    path: Path
    sensor: tuple[int, int] | None
    state: tuple[int, int]
    cache: Path | None
    keep_columns: bool
    may_not_keep: bool = False

    @property
    def made_from(self) -> dict[str, Any]:
        """What the index is of: as JSON gives it back."""
        kind = type(self.source)
        value = {
            "path": index_files.name_of(self.path),
            "size": self.state[0],
            "changed_ns": self.state[1],
            "source": registry.sources.name_of(kind),
            "version": kind.version,
            "parameters": msgspec.to_builtins(self.source),
            "sensor": self.sensor,
        }
        return cast("dict[str, Any]", json.loads(digest.canonical_json(value)))

    def found(self) -> Recording | None:
        """As it was kept in the cache."""
        if self.cache is None:
            return None
        made_from = self.made_from
        found = index_files.find(index_files.index_path(self.cache, made_from), made_from)
        if found is None:
            return None
        index, arrays = found
        if self.keep_columns and index.events and not (index.pieces or arrays):
            return None  # columns were not kept, and are to be now
        return self._recording(index, arrays)

    def made(self, decoded: Decoded | None, progress: Progress) -> Recording:
        """As one pass over the file finds it; `decoded` where it was decoded whole already."""
        made_from = self.made_from
        scan = None if decoded else self.source.scan(self.path, self.sensor, progress)
        if scan is not None:
            index, arrays = Index.of_scan(scan, made_from), dict(scan.arrays)
        else:
            index, arrays = _decoded_whole(
                decoded or self.source.read_counted(self.path, self.sensor), made_from
            )
        if file_state(self.path) != self.state:
            raise BadRecording("the file changed while it was read", where=self.path, fix="open it again")
        as_columns = scan is None and not self.keep_columns
        kept = self._kept(index, {} if as_columns else arrays)
        if kept is not None and not as_columns:
            return self._recording(*kept)
        return self._recording(index, arrays if scan is not None else _in_temporary_file(index, arrays))

    def _kept(self, index: Index, arrays: Arrays) -> tuple[Index, Arrays] | None:
        """What the cache holds from now on; None where there is none, or one that cannot be written and need not."""
        if self.cache is None:
            return None
        try:
            return index_files.keep(index_files.index_path(self.cache, index.made_from), index, arrays)
        except BadStore:
            if self.may_not_keep:
                return None
            raise

    def _recording(self, index: Index, arrays: Arrays) -> Recording:
        again = partial(
            open_with,
            self.source,
            self.path,
            self.sensor,
            cache=self.cache,
            keep_columns=self.keep_columns,
            may_not_keep=self.may_not_keep,
        )
        return Recording(self.path, index, partial(self._events, index, arrays), again)

    def _events(self, index: Index, arrays: Arrays) -> EventsOf:
        if index.pieces or not index.events:
            scan = Scan(index.sensor, index.pieces, index.ordered, index.lost, index.notes, arrays)
            return ScannedEvents(self.source, self.path, scan, self.state)
        if not arrays:
            require_unchanged(self.path, self.state)
            index, arrays = _decoded_whole(self.source.read_counted(self.path, self.sensor), index.made_from)
            arrays = _in_temporary_file(index, arrays)
        return HeldEvents((arrays["t"], arrays["x"], arrays["y"], arrays["p"]), mapped=True)


def _decoded_whole(decoded: Decoded, made_from: dict[str, Any]) -> tuple[Index, Arrays]:
    return Index.of(decoded, made_from), {name: getattr(decoded.events, name) for name in index_files.COLUMNS}


def _in_temporary_file(index: Index, arrays: Arrays) -> Arrays:
    """The arrays, mapped from a file that has no name and goes with them. Raises BadStore where there is no room for it."""
    try:
        with tempfile.TemporaryFile(prefix="eventbench-") as file:
            index_files.write(cast("BinaryIO", file), index, arrays)
            return index_files.mapped(cast("BinaryIO", file))[1]
    except OSError as error:
        raise BadStore(
            f"the {index.events:,} events of {index_files.path_of(index.made_from['path'])} cannot be kept there: "
            f"{error.strerror or error}",
            where=tempfile.gettempdir(),
            fix="make room there, or set TMPDIR to another folder",
            reason="not_writable",
        ) from None
