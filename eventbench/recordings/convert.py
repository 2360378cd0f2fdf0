"""`eventbench convert`: a recording in one format written in another, in stretches, with an account of what is not in it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from eventbench import registry
from eventbench.errors import BadRecording, BadSpec
from eventbench.events import Events
from eventbench.files.progress import Progress, no_progress
from eventbench.recordings.read import Reading, source_of
from eventbench.recordings.recording import Recording
from eventbench.recordings.save import Saved, Target, write
from eventbench.recordings.windows import open_with
from eventbench.sources.base import PIECE_EVENTS, Note


class Converted(NamedTuple):
    """What was written, and of what: the source that read it, the size of its file, and how many events it has.

    `sensor_is_least` says that nobody gave a sensor and that it just holds the events: the camera's own may be larger.
    `lost` and `notes` are of the reading, as in `Decoded`; events that lie outside of the times asked for are not lost.
    """

    saved: Saved
    path: Path
    source: str
    bytes: int
    events: int
    lost: Mapping[str, int]
    notes: tuple[Note, ...]
    sensor_is_least: bool = False


class Window(NamedTuple):
    """The times to be taken, start_us <= t < stop_us; None takes all before, or after."""

    start_us: int | None = None
    stop_us: int | None = None

    def numbers(self, recording: Recording) -> range:
        """The numbers of the events in it. Raises BadSpec for a window that stops before it starts."""
        if self.start_us is not None and self.stop_us is not None and self.stop_us < self.start_us:
            raise BadSpec(
                f"the times from {self.start_us:,} to {self.stop_us:,} us",
                allowed="a start that is not after the stop",
            )
        first = 0 if self.start_us is None else recording.number_at(self.start_us)
        stop = len(recording) if self.stop_us is None else recording.number_at(self.stop_us)
        return range(first, stop)


def convert(
    path: Path,
    out: Path,
    reading: Reading | None = None,
    *,
    writer: str = "",
    parameters: Mapping[str, Any] | None = None,
    window: Window | None = None,
    overwrite: bool = False,
    from_zero: bool = False,
    progress: Progress = no_progress,
) -> Converted:
    """The recording at `path`, read as `reading` says, written to `out` as `save` does; memory does not grow with its length.

    Raises what reading raises, and what `save` raises; nothing is read where nothing could be written.
    """
    reading, window = reading or Reading(), window or Window()
    if path.is_dir():
        raise BadRecording(
            "a folder; a recording is converted at a time",
            where=path,
            fix=f'go through it: for f in {shlex.quote(str(path))}/*; do eventbench convert "$f" "$f.npz"; done',
        )
    target = Target.of(out, writer, dict(parameters or {}), overwrite=overwrite)
    source = source_of(path, reading)
    with open_with(source, path, reading.sensor, progress=progress) as recording:
        most = [-1, -1]
        parts = _parts(recording, window.numbers(recording), progress, most)
        saved = write(parts, recording.sensor, target, from_zero=from_zero, progress=progress)
        name = registry.sources.name_of(type(source))
        size = path.stat().st_size
        least = reading.sensor is None and recording.sensor == (most[0] + 1, most[1] + 1)
        return Converted(
            saved, path, name, size, len(recording), recording.lost, tuple(recording.notes), least
        )


def _parts(recording: Recording, numbers: range, progress: Progress, most: list[int]) -> Iterator[Events]:
    """The events of these numbers, a part after the other; `most` becomes the highest x and y."""
    starts = range(numbers.start, numbers.stop, PIECE_EVENTS)
    for first in progress(starts, of=recording.path.name, unit="part", total=len(starts)):
        events = recording.events(first, min(first + PIECE_EVENTS, numbers.stop))
        if len(events):
            most[:] = max(most[0], int(events.x.max())), max(most[1], int(events.y.max()))
        yield events
