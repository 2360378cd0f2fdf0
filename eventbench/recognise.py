"""`eb.read`: a recording's events, the format recognised by its content, then by its name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from os import PathLike
from pathlib import Path

from eventbench import registry
from eventbench.errors import BadRecording
from eventbench.event_batch import EventBatch
from eventbench.events import Events
from eventbench.sources.base import Source, file_bytes


@cache  # asked once a recording
def _members() -> list[type[Source]]:
    return [registry.sources.get(name) for name in registry.sources.names()]


def recognise(data: bytes, path: Path) -> Source:
    """The source that reads such bytes: the one that recognises them, or, for formats without a header, resembles them.

    The file's ending decides only between formats without a header. Raises BadRecording, naming the endings that
    are known.
    """
    members = _members()
    for member in members:
        if member.recognises(data):
            return member()
    named = [member for member in members if not member.magics and path.suffix.lower() in member.suffixes]
    alike = [member for member in members if member.resembles(data)]
    for member in [*(member for member in named if member in alike), *alike[:1], *named]:
        return member()
    known = sorted({suffix for member in members for suffix in member.suffixes})
    raise BadRecording(
        f"no known format: first bytes {data[:8]!r}, ending {path.suffix!r}",
        where=path,
        allowed=", ".join(known),
    )


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
    data = file_bytes(path)
    return recognise(data, path).decode(data, str(path), sensor)


def read_batch(paths: Iterable[str | PathLike[str]], sensor: tuple[int, int] | None = None) -> EventBatch:
    """The events of many recordings of one format and one sensor, end to end, ready for `eb.frames`.

    The format is that of the first file; another among them is refused. Reading them together costs a fraction of one
    `read` each where recordings are short. Raises BadRecording as `read` does, and where there is no path.
    """
    files = [Path(path) for path in paths]
    if not files:
        raise BadRecording("no recording to read", fix="name at least one file")
    return recognise(file_bytes(files[0]), files[0]).decode_many(files, sensor)
