"""`eb.read` and `eb.read_batch`: the events of recordings, their format recognised by content, then by name, or told."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

import msgspec

from eventbench import registry
from eventbench.errors import BadRecording, BadSpec, EventbenchWarning
from eventbench.events import EventBatch, Events
from eventbench.files.content import FileHead, file_head
from eventbench.files.foreign import refuse_foreign
from eventbench.files.hdf5 import is_hdf5
from eventbench.sources.base import UNIT, Decoded, Note, Source

HEAD_BYTES = 1 << 16  # enough to know every format, or that a file is HDF5
SHORT_BYTES = 1 << 18  # a file that is no longer is read once, to know it and to decode it


@cache  # asked once a recording
def _sources(suffix: str) -> list[type[Source]]:
    """Every source, those first that answer to this ending: at most one recognises a file, and it is most likely of these."""
    sources = [registry.sources.get(name) for name in registry.sources.names()]
    return sorted(sources, key=lambda source: suffix not in source.suffixes)


def recognise(data: bytes, path: Path, size: int | None = None) -> Source:
    """The source that reads such bytes: the one that recognises them, or, for formats without a header, resembles them.

    The file's ending decides only between formats without a header. `size` is the file's where `data` is only its
    beginning. Raises BadRecording, naming the endings that are known, or the format where it is one that is not read.
    """
    suffix = path.suffix.lower()
    sources = _sources(suffix)
    likeliest = sources[0]
    if likeliest.magics and data.startswith(likeliest.magics) and likeliest.recognises(data):
        return likeliest()  # its own first bytes: it is nothing else, and most files are this
    refuse_foreign(data, path)
    for source in sources:
        if source.recognises(data):
            return source()
    named = [source for source in sources if not source.magics and suffix in source.suffixes]
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


class Reading(NamedTuple):
    """How recordings are to be read.

    `sensor` is (width, height), None where the file says it; `source` the name of one, "" for the one that recognises the
    file; `parameters` are that source's. Their values may be text, as a command line has them.
    """

    sensor: tuple[int, int] | None = None
    source: str = ""
    parameters: Mapping[str, Any] = {}

    def source_of(self, data: bytes, path: Path, size: int | None = None) -> Source:
        """The source that reads such bytes, with its parameters set.

        Raises BadSpec where it does not have one of them, UnknownName for a source that does not exist, and what
        `recognise` raises.
        """
        if self.source:
            return configured(
                registry.sources.get(self.source, where=path), self.source, self.parameters, path
            )
        source = recognise(data, path, size)
        if not self.parameters:
            return source
        name = registry.sources.name_of(type(source))
        return configured(type(source), name, self.parameters, path)


Member = TypeVar("Member", bound=msgspec.Struct)


def configured(
    kind: type[Member], name: str, parameters: Mapping[str, Any], where: object, word: str = "source"
) -> Member:
    """A source (or another `word`), called `name`, with these parameters. Raises BadSpec for one it does not have, or a bad value."""

    known = kind.__struct_fields__
    for parameter in parameters:
        if parameter not in known:
            near = difflib.get_close_matches(parameter, known, n=1)
            raise BadSpec(
                f"{name} has no parameter {parameter!r}",
                where=where,
                allowed=", ".join(known),
                fix=f"did you mean {near[0]!r}?" if near else f"eventbench show {name} explains them",
            )
    try:
        return msgspec.convert(dict(parameters), kind, strict=False)
    except msgspec.ValidationError as error:
        line, _, parameter = str(error).replace("`", "'").replace("'$.", "'").partition(" - at ")
        choices = get_args(get_type_hints(kind).get(parameter.strip("'")))
        allowed = ", ".join(map(str, choices)) if all(isinstance(choice, str) for choice in choices) else ""
        raise BadSpec(f"{parameter}: {line}", where=f"{where} [{word} {name}]", allowed=allowed) from None
    except BadSpec as error:
        raise error.as_kind(BadSpec, where=f"{where} [{word} {name}]") from None


_AS_IT_IS = Reading()


def head_of(path: Path) -> tuple[bytes, int]:
    """As much of a file as it takes to know its format, and the file's size. Raises BadRecording as `file_bytes` does."""
    head, size = file_head(path, HEAD_BYTES, SHORT_BYTES)
    # What is in an HDF5 file, and with it the layout, is known from all of it only.
    return (FileHead.of(head, path) if is_hdf5(head) else head), size


def source_of(path: Path, reading: Reading) -> Source:
    """The source that reads a file so; of the file, only as much is read as it takes to know. Raises as `Reading.source_of`."""
    if reading.source:
        return reading.source_of(b"", path)
    head, size = head_of(path)
    return reading.source_of(head, path, size)


def read(
    path: str | PathLike[str], sensor: tuple[int, int] | None = None, source: str = "", **parameters: Any
) -> Events:
    """The events of one recording.

    Parameters
    ----------
    path : a file in any of the formats `eventbench ls sources` lists
    sensor : (width, height) in pixels; None takes it from the file or, where the format does not say,
        the smallest sensor that holds every event
    source : the name of the source that reads it; "" for the one that recognises it
    parameters : of that source, in the words of `[source]` of a card: `sort=True`, `outside="drop"`, `salvage=True` of
        every one, `unit="ms"`, `order="xypt"` and the like as `eventbench show SOURCE` lists them

    Raises BadRecording, in one line that names the file, when it is no recording or a damaged one, BadSpec for a
    parameter that the source does not have, UnknownName for a source that does not exist. Warns (EventbenchWarning) where
    the events contradict the unit that nobody gave.
    """
    reading = Reading(sensor, source, parameters) if source or parameters else _AS_IT_IS
    found = _read(Path(path), reading, sensor)
    if found.notes:
        warn_of_unit(path, found.notes)
    return found.events


def warn_of_unit(path: str | PathLike[str], notes: Sequence[Note]) -> None:
    """Warn whoever called the caller where one of a file's notes doubts the unit of its times."""
    for note in notes:
        if note.kind == UNIT:
            warnings.warn(f"{os.fspath(path)}: {note.what}; {note.fix}", EventbenchWarning, stacklevel=3)


def read_counted(path: str | PathLike[str], reading: Reading | None = None) -> Decoded:
    """As `read`, with an account of what was left out of the events and what was done to them."""
    reading = reading or _AS_IT_IS
    return _read(Path(path), reading, reading.sensor)


def _read(path: Path, reading: Reading, sensor: tuple[int, int] | None) -> Decoded:
    """The events of a file, which is opened once where it is short, and else once to know it and once to decode it."""
    if reading.source:
        return reading.source_of(b"", path).read_counted(path, sensor)
    head, size = head_of(path)
    source = reading.source_of(head, path, size)
    if len(head) == size and type(head) is bytes and not (source.read_isolated or source.needs_file):
        return source.decode_counted(head, str(path), sensor)
    return source.read_counted(path, sensor)


def read_batch(
    paths: Iterable[str | PathLike[str]],
    sensor: tuple[int, int] | None = None,
    source: str = "",
    **parameters: Any,
) -> EventBatch:
    """The events of many recordings of one format and one sensor, end to end, ready for `eb.frames`.

    The format is that of the first file; another among them is refused. Reading them together costs a fraction of one
    `read` each where recordings are short. `source` and its parameters are as in `read`. Raises BadRecording as `read`
    does, and where there is no path. Warns as `read` does, once a file.
    """
    files = [path if isinstance(path, Path) else os.fspath(path) for path in paths]
    if not files:
        raise BadRecording("no recording to read", fix="name at least one file")
    met: list[tuple[str | Path, Sequence[Note]]] = []
    decoder = source_of(Path(files[0]), Reading(sensor, source, parameters))
    batch = decoder.decode_many(files, sensor, lambda path, notes: met.append((path, notes)))
    for path, notes in met:
        warn_of_unit(path, notes)
    return batch
