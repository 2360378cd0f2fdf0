"""`eb.save`: events into a file of any format that is written, read back and compared before the file gets its name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xxhash

from eventbench import registry
from eventbench.errors import BadEvents, BadRecording, BadSpec, EventbenchError
from eventbench.events import Events
from eventbench.files.progress import Progress, no_progress
from eventbench.files.temporary import replacing
from eventbench.recordings.read import Reading, configured
from eventbench.recordings.recording import Recording
from eventbench.recordings.windows import open_recording
from eventbench.writers.base import Size, Writer

COLUMNS = {"t": np.int64, "x": np.uint16, "y": np.uint16, "p": np.uint8}


class Saved(NamedTuple):
    """A file that was written, and read back equal.

    writer : its name
    bytes : the size of the file
    from_zero_us : what was taken off every time, 0 unless `from_zero`
    notes : what the file does not say, and how to read it therefore
    """

    path: Path
    writer: str
    events: int
    sensor: Size
    bytes: int
    from_zero_us: int = 0
    notes: tuple[str, ...] = ()


def save(
    events: Events | Recording,
    path: str | PathLike[str],
    writer: str = "",
    *,
    overwrite: bool = False,
    from_zero: bool = False,
    **parameters: Any,
) -> Saved:
    """Write a recording to a file of another format; the mirror of `read`.

    Parameters
    ----------
    events : the recording, in memory or open; of an open one 262,144 events are in memory at a time
    path : the file; its folder must be there
    writer : the name of one, of `eventbench ls writers`; "" for the one that the ending of `path` belongs to
    overwrite : replace a file that is there; else that is refused
    from_zero : take the time of the first event off every time
    parameters : of that writer, as `order="xypt"` or `compression="none"`; `eventbench show WRITER` lists them

    The file is written beside `path`, read back by `read`, compared, and only then gets its name; nothing is left of one that
    fails. Raises BadEvents for a value that the format cannot hold, BadSpec for a path or a parameter that is wrong,
    UnknownName for a writer that does not exist, BadRecording where the file read back is not the events written.
    """
    if not isinstance(events, Events | Recording):
        raise BadEvents(
            f"got a {type(events).__name__}",
            allowed="Events, or an open recording",
            fix="make them of an array: eb.Events.from_structured(array, sensor=(width, height))",
        )
    target = Target.of(path, writer, parameters, overwrite=overwrite)
    return write(
        [events] if isinstance(events, Events) else events, events.sensor, target, from_zero=from_zero
    )


class Target(NamedTuple):
    """Where and how a recording is to be written: a path that can be, and the writer with its parameters."""

    path: Path
    name: str
    writer: Writer

    @classmethod
    def of(
        cls, path: str | PathLike[str], writer: str, parameters: dict[str, Any], *, overwrite: bool
    ) -> Target:
        """What the arguments of `save` say. Raises BadSpec and UnknownName as it does."""
        out = Path(path)
        check_path(out, overwrite=overwrite)
        name = writer or writer_for(out)
        kind = registry.writers.get(name, where=out)
        return cls(out, name, configured(kind, name, parameters, out, "writer"))


def writer_for(path: Path) -> str:
    """The name of the writer that an ending belongs to. Raises BadSpec, with those that are known, for another."""
    suffix = path.suffix.lower()
    known = {end: name for name in registry.writers.names() for end in registry.writers.get(name).suffixes}
    if suffix in known:
        return known[suffix]
    raise BadSpec(
        f"its ending is {path.suffix!r}" if suffix else "it has no ending",
        where=path,
        allowed=", ".join(sorted(known)),
        fix='name the format: --to NAME, or writer="NAME", of eventbench ls writers',
    )


def check_path(out: Path, *, overwrite: bool) -> None:
    """Raises BadSpec for a path that no file can be written to, or where one is."""
    if out.is_dir() or (out.exists() and not out.is_file()):
        what = "a folder" if out.is_dir() else "no ordinary file"  # a device would be replaced
        raise BadSpec(what, where=out, allowed="the name of a file")
    if not out.parent.is_dir():
        raise BadSpec("there is no such folder", where=out.parent, fix="create it first")
    if not os.access(out.parent, os.W_OK):
        raise BadSpec("the folder cannot be written", where=out.parent, fix="choose another folder")
    if out.exists() and not overwrite:
        raise BadSpec(
            "exists already",
            where=out,
            fix="choose another name, or replace it with --overwrite, or overwrite=True in save",
        )


def write(
    parts: Iterable[Events],
    sensor: Size,
    target: Target,
    *,
    from_zero: bool = False,
    progress: Progress = no_progress,
) -> Saved:
    """As `save`, of events that come in parts, in order."""
    out, name, writer = target
    written, start = _Digest(), 0
    if from_zero:
        parts = iter(parts)
        first = next((part for part in parts if len(part)), Events.empty(sensor))
        start = int(first.t[0]) if len(first) else 0
        parts = (_earlier(part, start) for part in chain([first], parts))
    with replacing(out) as path:
        try:
            writer.write(written.of(writer.checked(parts, sensor, out)), sensor, path)
        except EventbenchError as error:
            raise error.as_kind(type(error), where=out) from None
        _compare(written, sensor, path, target, progress)
        size = path.stat().st_size
    return Saved(out, name, written.events, sensor, size, start, _notes(target, sensor))


def _earlier(part: Events, start: int) -> Events:
    if len(part) and int(part.t[-1]) - start > np.iinfo(np.int64).max:
        raise BadEvents("the events last more than 2^63 us", reason="too_long")
    return Events.trusted(part.t - start, part.x, part.y, part.p, part.sensor)


class _Digest:
    """The number and a hash of each column of events, whatever parts they come in."""

    def __init__(self) -> None:
        self.events = 0
        self._hashes = {name: xxhash.xxh3_128() for name in COLUMNS}

    def of(self, parts: Iterable[Events]) -> Iterator[Events]:
        """The parts, taken in as they go by."""
        for part in parts:
            self.events += len(part)
            for name, dtype in COLUMNS.items():
                self._hashes[name].update(np.ascontiguousarray(getattr(part, name), dtype).data)
            yield part

    def differs(self, other: _Digest) -> str:
        """What differs, in words; "" where nothing does."""
        if self.events != other.events:
            return f"{other.events:,} events instead of {self.events:,}"
        names = [name for name in COLUMNS if self._hashes[name].digest() != other._hashes[name].digest()]
        return f"other values of {', '.join(names)}" if names else ""


def _compare(written: _Digest, sensor: Size, path: Path, target: Target, progress: Progress) -> None:
    """Raises BadRecording where the file at `path` does not read back as what was written."""
    writer = target.writer
    told = None if writer.states_sensor(path) else sensor
    reading = Reading(told, writer.source, writer.reading(path))
    try:
        back, read = open_recording(path, reading, progress=progress), _Digest()
        for _ in read.of(back):
            pass
        difference = written.differs(read)
        if not difference and back.sensor != sensor:
            difference = f"the sensor {back.sensor[0]}x{back.sensor[1]} instead of {sensor[0]}x{sensor[1]}"
    except BadRecording as error:
        if not written.events:
            raise BadEvents(
                "there are no events, and this format cannot say so",
                where=target.path,
                fix="write .npz or .raw, or another of eventbench ls writers",
                reason="no_events",
            ) from None
        difference = f"it is refused ({error.what})"
    if difference:
        raise BadRecording(
            f"what was written as {target.name} does not read back equal: {difference}; nothing was kept",
            where=target.path,
            fix="write another format (eventbench ls writers), and please report it",
            reason="not_equal",
        )


def _notes(target: Target, sensor: Size) -> tuple[str, ...]:
    """What whoever reads the file has to be told."""
    writer = target.writer
    size = "" if writer.states_sensor(target.path) else f" --sensor {sensor[0]}x{sensor[1]}"
    settings = "".join(f" --set {key}={value}" for key, value in writer.reading(target.path).items())
    named = f" --source {writer.source}" if settings else ""
    if not (size or settings):
        return ()
    return (f"the file does not say all of it; to read it:{named}{settings}{size}",)
