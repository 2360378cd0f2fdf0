"""One recording examined: recognised, its raw columns counted, decoded, summarised and judged."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from eventbench import registry
from eventbench.doctor import judgement
from eventbench.doctor.findings import Finding
from eventbench.doctor.raw import raw_columns
from eventbench.doctor.signs import Signs, convention_of, signs_of
from eventbench.doctor.units import suspicion, tick_us
from eventbench.errors import BadRecording, EventbenchError
from eventbench.events import Events
from eventbench.events.summary import Summary, summarize
from eventbench.files.content import file_bytes
from eventbench.recordings.read import Reading
from eventbench.sources.base import Decoded, Source

FROM_OPTION, FROM_FILE, FROM_EVENTS = "given", "stated by the file", "the smallest that holds every event"


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """One recording: `problems` make it unsound, `warnings` are worth a look.

    `summary` is None where it cannot be decoded, `raw` where its format has no columns to look at before decoding.
    `events_sha256` is of the events alone: the same in every format and under every name; "" without events. `lost` counts
    what is in the file and not among the events, by reason; `notes` say what was done to get them.
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
    summary: Summary | None
    raw: Signs | None
    problems: list[Finding]
    warnings: list[Finding]
    lost: dict[str, int] = {}
    notes: list[str] = []


class Candidate(NamedTuple):
    """A recording before it is decoded. `source` is None where no format is recognised, `signs` where it has no columns.

    `sensor` (width, height) is what its events must lie in, if somebody says so.
    """

    path: Path
    data: bytes = b""
    source: Source | None = None
    recognised_by: str = "nothing but its ending"
    signs: Signs | None = None
    polarity_convention: str = ""
    sensor: tuple[int, int] | None = None

    @property
    def format(self) -> str:
        """The name of its source."""
        return "unknown" if self.source is None else sources()[type(self.source)]

    @property
    def sha256(self) -> str:
        """Of its bytes; "" without."""
        return hashlib.sha256(self.data).hexdigest() if self.data else ""


def examine(path: Path, reading: Reading | None = None) -> Examined:
    """One recording. Raises BadRecording when it cannot be read, or neither its bytes nor its ending are of a known format.

    `reading` says how it is read; its `sensor` (width, height) is what the events must lie in. None takes that from the file
    or, where the format does not say, the smallest that holds every event, and then none can lie outside.
    """
    reading = reading or Reading()
    known = path.suffix.lower() in known_endings()
    if known and path.is_file() and not path.stat().st_size:
        empty = BadRecording("the file is empty (0 bytes)", where=path, fix="fetch the file again")
        return refused(Candidate(path), empty)
    return examine_bytes(path, file_bytes(path), reading)


def examine_bytes(path: Path, data: bytes, reading: Reading) -> Examined:
    """As `examine`, of the bytes of the file at `path`."""
    sensor = reading.sensor
    try:
        source = reading.source_of(data, path)
    except BadRecording as error:
        if path.suffix.lower() in known_endings():
            return refused(Candidate(path, data), error)
        raise
    raw = raw_columns(source, data)
    signs = signs_of(raw, sensor) if raw else None
    convention = source.polarity_convention(raw) or convention_of(signs)
    candidate = Candidate(path, data, source, _recognised_by(source, data, path), signs, convention, sensor)
    try:
        result = source.decode_counted(data, str(path), sensor)
    except EventbenchError as error:
        return refused(candidate, error)
    return decoded(candidate, source, result)


def examine_row(path: Path, source: Source, row: int, sensor: tuple[int, int] | None = None) -> Examined:
    """Recording number `row` of a file that holds many; as `examine` in all else."""
    candidate = Candidate(
        Path(f"{path}#{row}"),
        source=source,
        recognised_by="what is in it",
        polarity_convention=source.polarity_convention(None),
        sensor=sensor,
    )
    try:
        result = source.decode_row_counted(path, row, sensor)
    except EventbenchError as error:
        return refused(candidate, error)
    return decoded(candidate, source, result)


def decoded(candidate: Candidate, source: Source, result: Decoded) -> Examined:
    """The events of a candidate, measured and judged; what its decoder met and could mend is a warning."""
    events = result.events
    summary, signs = summarize(events), candidate.signs
    if candidate.sensor:
        size_from = FROM_OPTION
    elif source.states_sensor(candidate.data) or (signs and signs.stated_size):
        size_from = FROM_FILE
    else:
        size_from = FROM_EVENTS
    unit = signs.unit if signs else getattr(source, "unit", "") or source.time_unit
    suspected = suspicion(events, summary, unit, fixed=not source.settable("unit"))
    tick = tick_us(events)
    times = judgement.Times(unit, suspected, tick)
    problems, warnings = judgement.of_decoded(
        source, summary, times, signs, size_known=size_from != FROM_EVENTS
    )
    warnings += [Finding(about=note.kind, what=note.what, fix=note.fix) for note in result.notes if note.fix]
    return Examined(
        path=str(candidate.path),
        bytes=len(candidate.data),
        sha256=candidate.sha256,
        events_sha256=_digest(events),
        format=candidate.format,
        recognised_by=candidate.recognised_by,
        sensor_from=size_from,
        polarity_convention=candidate.polarity_convention,
        time_unit=unit,
        suspected_unit=suspected.unit if suspected else None,
        tick_us=tick,
        summary=summary,
        raw=signs,
        problems=problems,
        warnings=warnings,
        lost=dict(result.lost),
        notes=[note.what for note in result.notes],
    )


def refused(candidate: Candidate, error: EventbenchError) -> Examined:
    """A candidate that could not be decoded."""
    signs = candidate.signs
    problems, warnings = judgement.of_refused(candidate.source, error, signs, candidate.sensor)
    return Examined(
        path=str(candidate.path),
        bytes=len(candidate.data),
        sha256=candidate.sha256,
        events_sha256="",
        format=candidate.format,
        recognised_by=candidate.recognised_by,
        sensor_from="",
        polarity_convention=candidate.polarity_convention if signs else "",
        time_unit=signs.unit if signs else "",
        suspected_unit=None,
        tick_us=0,
        summary=None,
        raw=signs,
        problems=problems,
        warnings=warnings,
    )


def _digest(events: Events) -> str:
    if not len(events):
        return ""
    digest = hashlib.sha256()
    for column in (events.t, events.x, events.y, events.p):
        digest.update(column.data)
    return digest.hexdigest()


def _recognised_by(source: Source, data: bytes, path: Path) -> str:
    if type(source).recognises(data):
        return "its first bytes" if source.magics and data.startswith(source.magics) else "what is in it"
    if type(source).resembles(data):
        alike = "what is in it, for the format has no header"
        return f"{alike}, and its ending" if path.suffix.lower() in source.suffixes else alike
    return f"its ending {path.suffix} alone"


def holds_many(path: Path) -> bool:
    """Whether a file holds many recordings, as SHD's do."""
    endings = {suffix for source in sources() if source.holds_many for suffix in source.suffixes}
    if path.suffix.lower() not in endings or not path.is_file() or not path.stat().st_size:
        return False
    return recordings_in(path, file_bytes(path)) is not None


def recordings_in(path: Path, data: bytes) -> tuple[Source, int] | None:
    """The source of a file that holds more than one recording, and how many; None for any other."""
    for kind in sources():
        if kind.holds_many and kind.recognises(data):
            source = kind()
            count = source.recordings_in(path)
            return (source, count) if count > 1 else None
    return None


def known_endings() -> set[str]:
    """The file endings that some source answers to, in lower case."""
    return {suffix for source in sources() for suffix in source.suffixes}


@cache  # a folder has thousands of files, and looking for other packages' sources takes longer than reading one
def sources() -> dict[type[Source], str]:
    """Every source's class, and its name."""
    return {registry.sources.get(name): name for name in registry.sources.names()}
