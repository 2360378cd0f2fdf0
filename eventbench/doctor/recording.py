"""One recording examined: recognised, its raw columns counted, decoded, summarised and judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from eventbench.doctor import judgement
from eventbench.doctor.candidate import Candidate, known_endings
from eventbench.doctor.findings import Finding
from eventbench.doctor.signs import Signs
from eventbench.errors import BadRecording, EventbenchError
from eventbench.events import Events
from eventbench.events.measure import Measure
from eventbench.events.summary import Summary
from eventbench.events.units import LIKELY, Evidence, suspicion
from eventbench.files.content import file_bytes
from eventbench.files.progress import Progress, no_progress
from eventbench.recordings.read import Reading, source_of
from eventbench.recordings.windows import open_with
from eventbench.sources.base import PIECE_EVENTS, UNIT, Decoded, Note, Size, Source

FROM_OPTION, FROM_FILE, FROM_EVENTS = "given", "stated by the file", "the smallest that holds every event"
LONG_BYTES = 1 << 24  # a larger file is not read into memory


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


class Found(NamedTuple):
    """What a decoder made of a recording: its events in order of time, in pieces that can be gone through again."""

    sensor: Size
    events: int
    pieces: Iterable[Events]
    lost: Mapping[str, int]
    notes: Iterable[Note]

    @classmethod
    def of(cls, decoded: Decoded) -> Found:
        """All events in one piece."""
        events = decoded.events
        return cls(events.sensor, len(events), [events], decoded.lost, decoded.notes)


def examine(path: Path, reading: Reading | None = None, progress: Progress = no_progress) -> Examined:
    """One recording. Raises BadRecording when it cannot be read, or neither its bytes nor its ending are of a known format.

    `reading` says how it is read; its `sensor` (width, height) is what the events must lie in. None takes that from the file
    or, where the format does not say, the smallest that holds every event, and then none can lie outside. A long recording
    is gone through in pieces, with `progress`; memory does not grow with its length.
    """
    reading = reading or Reading()
    known = path.suffix.lower() in known_endings()
    if known and path.is_file() and not path.stat().st_size:
        empty = BadRecording("the file is empty (0 bytes)", where=path, fix="fetch the file again")
        return refused(Candidate(path), empty)
    if is_long(path):
        return examine_long(path, reading, progress)
    return examine_bytes(path, file_bytes(path), reading)


def is_long(path: Path) -> bool:
    """Whether a file is too large to be held in memory."""
    return path.is_file() and path.stat().st_size > LONG_BYTES


def examine_bytes(path: Path, data: bytes, reading: Reading) -> Examined:
    """As `examine`, of the bytes of the file at `path`."""
    try:
        source = reading.source_of(data, path)
    except BadRecording as error:
        if path.suffix.lower() in known_endings():
            return refused(Candidate.of_bytes(path, data, None, reading.sensor), error)
        raise
    candidate = Candidate.of_bytes(path, data, source, reading.sensor)
    try:
        result = source.decode_counted(data, str(path), reading.sensor)
    except EventbenchError as error:
        return refused(candidate, error)
    return decoded(candidate, source, Found.of(result))


def examine_long(path: Path, reading: Reading, progress: Progress = no_progress) -> Examined:
    """As `examine`, of a file that is not held in memory: it is gone through in pieces."""
    try:
        source = source_of(path, reading)
    except BadRecording as error:
        if path.suffix.lower() in known_endings():
            return refused(Candidate.of_long(path, None, reading.sensor), error)
        raise
    if type(source).scan is Source.scan:  # it cannot be cut
        return examine_bytes(path, file_bytes(path), reading)
    candidate = Candidate.of_long(path, source, reading.sensor)
    try:
        with open_with(source, path, reading.sensor, progress=progress) as recording:
            found = Found(recording.sensor, len(recording), recording, recording.lost, recording.notes)
            return decoded(candidate, source, found, progress)
    except EventbenchError as error:
        return refused(candidate, error)


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
    return decoded(candidate, source, Found.of(result))


def decoded(candidate: Candidate, source: Source, found: Found, progress: Progress = no_progress) -> Examined:
    """The events of a candidate, measured and judged; what its decoder met and could mend is a warning."""
    signs = candidate.signs
    measure, events_sha256 = _measured(found, progress)
    summary = measure.summary()
    if candidate.sensor:
        size_from = FROM_OPTION
    elif source.states_sensor(candidate.head) or (signs and signs.stated_size):
        size_from = FROM_FILE
    else:
        size_from = FROM_EVENTS
    unit = signs.unit if signs else getattr(source, "unit", "") or source.time_unit
    evidence = Evidence.of_summary(summary, measure.moments)
    suspected = suspicion(evidence, unit, fixed=not source.settable("unit"))
    if suspected and any(note.kind == UNIT for note in found.notes):
        suspected = suspected._replace(sure=LIKELY)  # the decoder knows whether anybody named the unit
    times = judgement.Times(unit, suspected, measure.tick_us)
    problems, warnings = judgement.of_decoded(
        source, summary, times, signs, size_known=size_from != FROM_EVENTS
    )
    warnings += [
        Finding(about=note.kind, what=note.what, fix=note.fix)
        for note in found.notes
        if note.fix and note.kind != UNIT
    ]
    return Examined(
        path=str(candidate.path),
        bytes=candidate.size,
        sha256=candidate.sha256,
        events_sha256=events_sha256,
        format=candidate.format,
        recognised_by=candidate.recognised_by,
        sensor_from=size_from,
        polarity_convention=candidate.polarity_convention,
        time_unit=unit,
        suspected_unit=suspected.unit if suspected else None,
        tick_us=measure.tick_us,
        summary=summary,
        raw=signs,
        problems=problems,
        warnings=warnings,
        lost=dict(found.lost),
        notes=[note.what for note in found.notes],
    )


def _measured(found: Found, progress: Progress) -> tuple[Measure, str]:
    """The figures of the events, and the digest of their columns, one column after the other; "" without events.

    The digest is of t, then x, y and p, as it always was, so that pieces are gone through once for each.
    """
    measure, digest = Measure(found.sensor, found.events), sha256()
    passes = ((column, events) for column in "txyp" for events in found.pieces)
    total = 4 * -(-found.events // PIECE_EVENTS)
    for column, events in progress(passes, of="examined", unit="piece", total=total):
        if column == "t":
            measure.update(events)
        digest.update(getattr(events, column).data)
    return measure, digest.hexdigest() if found.events else ""


def refused(candidate: Candidate, error: EventbenchError) -> Examined:
    """A candidate that could not be decoded."""
    signs = candidate.signs
    problems, warnings = judgement.of_refused(candidate.source, error, signs, candidate.sensor)
    return Examined(
        path=str(candidate.path),
        bytes=candidate.size,
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
