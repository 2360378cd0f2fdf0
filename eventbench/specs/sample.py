"""`Sample`: a recording, or a part of one, with its label; `Extent`: how long a recording is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Sample(NamedTuple):
    """One sample of a dataset: a unique id, its split, class index and subject, and its recording.

    `recording` is what the card's source reads: a file, or the id of a simulated recording. A sample that is only a part
    of it has one of these: `window`, its [start, stop) in microseconds of the recording's clock; `part`, its [start, stop)
    in events counted from 0; or `row`, its number in a file of many samples, counted from 0.
    """

    id: str
    split: str
    label: int
    subject: str
    recording: Path | str
    window: tuple[int, int] | None = None
    row: int | None = None
    part: tuple[int, int] | None = None


class Extent(NamedTuple):
    """How many events a recording has, and the times of the first and the last in microseconds; None where there is none."""

    events: int
    first_us: int | None
    last_us: int | None
