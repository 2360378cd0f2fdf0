"""One recording examined."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec

from eventbench import registry
from eventbench.doctor import judgement
from eventbench.doctor.findings import Finding
from eventbench.doctor.raw import raw_columns
from eventbench.doctor.signs import Signs, convention, signs_of
from eventbench.doctor.units import suspicion, tick_us
from eventbench.errors import BadRecording, EventbenchError
from eventbench.events import Events
from eventbench.events.summary import Summary, summarize
from eventbench.files.content import file_bytes
from eventbench.files.hdf5 import names_in, opened
from eventbench.files.isolated import call
from eventbench.recordings.read import recognise
from eventbench.sources._percent_header import percent_header
from eventbench.sources.base import Source

# Formats whose files always say how large their sensor is.
STATED = ("aedat2", "aedat4", "event_stream")
FROM_OPTION, FROM_FILE, FROM_EVENTS = "given", "stated by the file", "the smallest that holds every event"


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """One recording: `problems` make it unsound, `warnings` are worth a look.

    `figures` is None where it cannot be decoded, `raw` where its format has no columns to look at before decoding.
    `events_sha256` is of the events alone: the same in every format and under every name; "" without events.
    """

    path: str
    bytes: int
    sha256: str
    events_sha256: str
    format: str
    recognised_by: str
    sensor_from: str
    polarity_convention: str
    time_unit: str
    suspected_unit: str | None
    tick_us: int
    figures: Summary | None
    raw: Signs | None
    problems: list[Finding]
    warnings: list[Finding]


def examine(path: Path, sensor: tuple[int, int] | None = None) -> Examined:
    """One recording. Raises BadRecording when it cannot be read, or neither its bytes nor its ending are of a known format.

    `sensor` (width, height) is what its events must lie in; None takes it from the file or, where the format does
    not say, the smallest that holds every event, and then none can lie outside.
    """
    known = path.suffix.lower() in known_endings()
    if known and path.is_file() and not path.stat().st_size:
        return refused(path, "the file is empty (0 bytes); fetch the file again")
    data = file_bytes(path)
    try:
        source = recognise(data, path)
    except BadRecording as error:
        if known:
            return refused(path, str(error), data)
        raise
    name = sources()[type(source)]
    columns = raw_columns(name, data)
    signs = signs_of(columns, sensor) if columns else None
    found_by = _recognised_by(source, data, path)
    try:
        events = source.decode(data, str(path), sensor)
    except EventbenchError as error:
        return refused(path, str(error), data, name, found_by, signs, sensor)
    return told(path, data, name, found_by, events, sensor, signs)


def examine_row(path: Path, source: Source, row: int, sensor: tuple[int, int] | None = None) -> Examined:
    """Recording number `row` of a file that holds many; as `examine` in all else."""
    name = sources()[type(source)]
    called = Path(f"{path}#{row}")
    try:
        events = source.decode_row(path, row, sensor)
    except EventbenchError as error:
        return refused(called, str(error).removeprefix(f"{path}, recording {row}: "), b"", name)
    return told(called, b"", name, "its groups spikes/times and spikes/units", events, sensor, None)


def told(
    path: Path,
    data: bytes,
    name: str,
    found_by: str,
    events: Events,
    sensor: tuple[int, int] | None,
    signs: Signs | None,
) -> Examined:
    """What was decoded, measured and judged."""
    figures = summarize(events)
    size_from = FROM_OPTION if sensor else FROM_FILE if _states_size(name, data, signs) else FROM_EVENTS
    suspected = suspicion(events, figures)
    tick = tick_us(events)
    problems, warnings = judgement.of_decoded(name, figures, suspected, tick, size_from != FROM_EVENTS)
    return Examined(
        path=str(path),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest() if data else "",
        events_sha256=_digest(events),
        format=name,
        recognised_by=found_by,
        sensor_from=size_from,
        polarity_convention=convention(name, signs),
        time_unit=signs.unit if signs else "s" if name == "spikes_hdf5" else "us",
        suspected_unit=suspected.unit if suspected else None,
        tick_us=tick,
        figures=figures,
        raw=signs,
        problems=problems,
        warnings=warnings,
    )


def refused(
    path: Path,
    reason: str,
    data: bytes = b"",
    name: str = "unknown",
    found_by: str = "nothing but its ending",
    signs: Signs | None = None,
    sensor: tuple[int, int] | None = None,
) -> Examined:
    """What could not be decoded, for that reason."""
    problems, warnings = judgement.of_refused(name, reason.removeprefix(f"{path}: "), signs, sensor)
    return Examined(
        path=str(path),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest() if data else "",
        events_sha256="",
        format=name,
        recognised_by=found_by,
        sensor_from="",
        polarity_convention=convention(name, signs) if signs else "",
        time_unit=signs.unit if signs else "",
        suspected_unit=None,
        tick_us=0,
        figures=None,
        raw=signs,
        problems=problems,
        warnings=warnings,
    )


def _digest(events: Events) -> str:
    if not len(events):
        return ""
    whole = hashlib.sha256()
    for column in (events.t, events.x, events.y, events.p):
        whole.update(column.data)
    return whole.hexdigest()


def _recognised_by(source: Source, data: bytes, path: Path) -> str:
    if type(source).recognises(data):
        return "its first bytes" if source.magics and data.startswith(source.magics) else "what is in it"
    if type(source).resembles(data):
        alike = "what is in it, for the format has no header"
        return f"{alike}, and its ending" if path.suffix.lower() in source.suffixes else alike
    return f"its ending {path.suffix} alone"


def _states_size(name: str, data: bytes, signs: Signs | None) -> bool:
    if name == "evt":
        header = percent_header(data)
        return header.size() is not None or any(line.startswith("plugin_name ") for line in header.lines)
    return name in STATED or (signs is not None and signs.stated_size is not None)


def holds_many(path: Path) -> bool:
    """Whether a file holds many recordings, as SHD's do."""
    return path.suffix.lower() in (".h5", ".hdf5") and path.is_file() and rows_in(path.read_bytes()) > 1


def rows_in(data: bytes) -> int:
    """How many recordings a file of spikes holds; 0 for any other."""
    if not {"spikes/times", "spikes/units"} <= names_in(data):
        return 0
    try:
        return call(_rows, len(data), "", data)  # HDF5 crashes on some damaged files
    except BadRecording:
        return 0


def _rows(data: bytes) -> int:
    with opened(data, "") as file:
        return len(file["spikes/times"])


def known_endings() -> set[str]:
    """The file endings that some source answers to, in lower case."""
    return {suffix for source in sources() for suffix in source.suffixes}  # type: ignore[attr-defined]


@cache  # a folder has thousands of files, and looking for other packages' sources takes longer than reading one
def sources() -> dict[type, str]:
    return {registry.sources.get(name): name for name in registry.sources.names()}
