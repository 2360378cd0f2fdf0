"""Doubts about the unit that times were read in, in words and with what to do; a note of them where they are strong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from eventbench.events.units import DATES, FEW_EVENTS, LIKELY, UNITS, Evidence, Suspicion, suspicion
from eventbench.sources._decoded import Decoded, Note, how_to_set
from eventbench.sources._pieces import Scan

if TYPE_CHECKING:
    from eventbench.sources.base import Source

UNIT = "unit"  # the kind of the note
IN_WORDS = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds"}


class ReadAs(NamedTuple):
    """The unit that times were read in, and who says so: whoever reads (`given`), the file (`stated`), or nobody."""

    unit: str
    given: bool = False
    stated: bool = False


def unit_doubt(suspected: Suspicion) -> str:
    """The doubt as a question."""
    words = IN_WORDS.get(suspected.unit, "frames, an index for a time")
    return f"{suspected.why}: are its times in {words}? ({suspected.sure})"


def unit_cure(suspected: Suspicion, read_as: str, *, settable: bool) -> str:
    """What to do about it; `settable`: whether the source has a parameter `unit`."""
    unit = suspected.unit
    if unit == "frame index":
        return "multiply each by the time between frames before use: the step scale_time"
    condition = "if so" if suspected.sure == LIKELY else "nothing if it is so short a cut; if not"
    if settable:
        return f"{condition}, {how_to_set('unit', unit)}"
    factor = 1000.0 ** (UNITS.index(unit) - UNITS.index(read_as))
    return f"{condition}, scale them: the step scale_time, least = most = {factor:g}"


def with_doubt(found: Decoded, read_as: ReadAs) -> Decoded:
    """What was decoded, with a note where there is a strong doubt about the unit. What is given is not doubted."""
    events = found.events
    if read_as.given or len(events) < 2:
        return found
    columns = (events.t, events.x, events.y)
    seen = Evidence.of_parts(
        len(events), int(events.t[0]), int(events.t[-1]), events.sensor, lambda: [columns]
    )
    note = _note(seen, read_as)
    return found._replace(notes=(*found.notes, note)) if note else found


def scan_with_doubt(source: Source, path: Path, scan: Scan | None, read_as: ReadAs) -> Scan | None:
    """As `with_doubt`, of a file whose pieces are in order of time; they are decoded only where the doubt asks for it."""
    if scan is None or read_as.given or not scan.pieces:
        return scan

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for piece in scan.pieces:
            t, x, y, _ = source.decode_piece(path, scan, piece)
            yield t, x, y

    events = sum(piece.events for piece in scan.pieces)
    ends = scan.pieces[0].first_us, scan.pieces[-1].last_us
    note = _note(Evidence.of_parts(events, *ends, scan.sensor, parts), read_as)
    return scan._replace(notes=(*scan.notes, note)) if note else scan


def _note(seen: Evidence, read_as: ReadAs) -> Note | None:
    suspected = suspicion(seen, read_as.unit, assumed=not read_as.stated)
    if suspected is None or suspected.sure != LIKELY:
        return None
    finer = suspected.unit in UNITS[: UNITS.index(read_as.unit)]
    is_date = seen.first_us >= DATES[0] * 10**9
    # Pixels can be idle, where the file says so; what no pixel can do, and years beyond all dates, are wrong whoever says so.
    if not is_date and (seen.events < FEW_EVENTS or (finer and read_as.stated)):
        return None
    fix = unit_cure(suspected, read_as.unit, settable=True)
    return Note(UNIT, unit_doubt(suspected), fix=f"{fix}; if not, unit={read_as.unit} says so")
