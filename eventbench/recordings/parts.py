"""A recording part by part: a long file whose source knows how to cut it, anything else as one part in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from eventbench.events import Events
from eventbench.files.progress import Progress, no_progress
from eventbench.recordings.read import Reading, source_of
from eventbench.sources.base import Note, Scan, Size, Source

IN_PARTS_FROM = 64 << 20  # bytes of a file; below, all of its events fit into memory


class Parts(NamedTuple):
    """A recording: its sensor, what of the file is not among its events, what else was done, and where the events come from.

    `source` is the name of its format's; `whole` the events where they are in memory, else `scan` says how to have them.
    """

    path: Path
    source: Source
    sensor: Size
    lost: Mapping[str, int]
    notes: tuple[Note, ...]
    whole: Events | None = None
    scan: Scan | None = None
    progress: Progress = no_progress

    def events(self) -> Iterator[Events]:
        """The events in order, in one part or more; again from the beginning each time."""
        if self.scan is None:
            yield self.whole if self.whole is not None else Events.empty(self.sensor)
            return
        pieces = self.scan.pieces
        for piece in self.progress(pieces, of=self.path.name, unit="piece", total=len(pieces)):
            yield Events.trusted(*self.source.decode_piece(self.path, self.scan, piece), self.sensor)


def parts_of(path: Path, reading: Reading, progress: Progress = no_progress) -> Parts:
    """The recording in a file. Raises what `read_counted` raises."""
    source = source_of(path, reading)
    if path.is_file() and path.stat().st_size >= IN_PARTS_FROM:
        scan = source.scan(path, reading.sensor, progress)
        if scan is not None and scan.ordered:
            return Parts(path, source, scan.sensor, scan.lost, scan.notes, scan=scan, progress=progress)
    events, lost, notes = source.read_counted(path, reading.sensor)
    return Parts(path, source, events.sensor, lost, notes, whole=events)
