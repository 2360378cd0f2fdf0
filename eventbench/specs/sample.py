"""A sample: which part of which recording it is, and its label."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Sample(NamedTuple):
    """One sample of a dataset: a unique id, its split, its class index, who is in it, where it is.

    `recording` is what the card's source reads: a file, or the id of a simulated recording. Where a sample is only a part
    of it, `window` is the part's [start, stop) in microseconds of the recording's own clock, `part` its [start, stop) in
    events counted from 0, or `row` its number in a file that holds many, counted from 0.
    """

    id: str
    split: str
    label: int
    subject: str
    recording: Path | str
    window: tuple[int, int] | None = None
    row: int | None = None
    part: tuple[int, int] | None = None
