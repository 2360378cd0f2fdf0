"""Columns that need no more than a look: whole numbers, microseconds, in order, 0 and 1. Read and proven in one pass.

Whatever is otherwise is left to `ColumnSource.events_of`, which knows what to do about it, or says what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadEvents
from eventbench.events import Events
from eventbench.events.events import checked_sensor
from eventbench.events.memory import columns as fresh_columns
from eventbench.files.progress import Progress, no_progress
from eventbench.sources._columns.stored import BLOCK_ROWS, StoredColumns
from eventbench.sources._columns.values import WIDEST
from eventbench.sources.base import PIECE_EVENTS, Columns, Piece, Scan, Size

LARGEST = np.iinfo(np.int64).max


class Found(NamedTuple):
    """What a pass over columns found: the largest x and y, and the times of pieces of PIECE_EVENTS rows."""

    most_x: int
    most_y: int
    pieces: list[Piece]


def is_plain(stored: StoredColumns) -> bool:
    """Whether the columns' types are such that a look at each value may be enough."""
    kinds = {key: dtype.kind for key, dtype in stored.types().items()}
    whole = kinds["t"] in "iu" and kinds["x"] in "iu" and kinds["y"] in "iu" and kinds["p"] in "iub"
    return whole and stored.rows > 0 and abs(stored.offset_us) <= LARGEST


def events_of(stored: StoredColumns, sensor: Size | None) -> Events | None:
    """The events, or None where a value needs more than a look."""
    into = dict(zip("txyp", fresh_columns(stored.rows), strict=True))
    found = looked_through(stored, into)
    size = found and _sensor_of(stored, found, sensor)
    return Events.trusted(into["t"], into["x"], into["y"], into["p"], size) if size else None


def scan_of(stored: StoredColumns, sensor: Size | None, progress: Progress) -> Scan | None:
    """The file in pieces of PIECE_EVENTS rows, or None where a value needs more than a look."""
    found = looked_through(stored, {}, progress=progress)
    size = found and _sensor_of(stored, found, sensor)
    return Scan(size, found.pieces) if found and size else None


def piece_of(stored: StoredColumns, piece: Piece) -> Columns:
    """The rows of a piece of `scan_of`, proven then."""
    t, x, y, p = fresh_columns(piece.stop - piece.start)
    into = {"t": t, "x": x, "y": y, "p": p}
    looked_through(stored, into, piece.start, piece.stop)
    return t, x, y, p


def looked_through(
    stored: StoredColumns,
    into: Mapping[str, np.ndarray],
    start: int = 0,
    stop: int | None = None,
    progress: Progress = no_progress,
) -> Found | None:
    """What the rows are, copied to the columns `into` where there are such; None where a value needs more than a look."""
    stop = stored.rows if stop is None else stop
    most_x = most_y = 0
    pieces: list[Piece] = []
    last = -LARGEST - 1
    with closing(stored.blocks(start, stop, into)) as blocks:  # type: ignore[type-var]
        total = -(-(stop - start) // BLOCK_ROWS)
        for first, end, block in progress(blocks, of="scan", unit="block", total=total):
            room = {key: column[first - start : end - start] for key, column in into.items()}
            t = _times(block["t"], room.get("t"), stored.offset_us)
            x, y = (_pixels(block[key], room.get(key)) for key in "xy")
            if t is None or x < 0 or y < 0 or t[0] < last or not _polarities(block["p"], room.get("p")):
                return None
            last, most_x, most_y = int(t[-1]), max(most_x, x), max(most_y, y)
            _cut(pieces, first, t)
    return Found(most_x, most_y, pieces)


def _cut(pieces: list[Piece], first: int, t: np.ndarray) -> None:
    """Add the times of the rows from `first` on to the last piece, and to new ones where it is full."""
    at = 0
    while at < len(t):
        if pieces and pieces[-1].events < PIECE_EVENTS:
            begun = pieces.pop()
        else:
            begun = Piece(first + at, first + at, 0, int(t[at]), 0)
        end = min(at + PIECE_EVENTS - begun.events, len(t))
        stop = first + end
        pieces.append(Piece(begun.start, stop, stop - begun.start, begun.first_us, int(t[end - 1])))
        at = end


def sensor_of(
    most_x: int, most_y: int, sensor: Size | None, stated: Size | None, *, either_way: bool = False
) -> Size | None:
    """The sensor of events that reach so far; None where they do not lie on it, or there is doubt about it.

    It is `sensor`, else what the file says, which may be the other way round, else the smallest.
    """
    size = sensor or stated
    if size is None:
        return (most_x + 1, most_y + 1) if max(most_x, most_y) < WIDEST else None
    try:
        width, height = checked_sensor(size)
    except BadEvents:
        return None
    if sensor is None and either_way and not (most_x < width and most_y < height):
        width, height = height, width
    return (width, height) if most_x < width and most_y < height else None


def _sensor_of(stored: StoredColumns, found: Found, sensor: Size | None) -> Size | None:
    return sensor_of(found.most_x, found.most_y, sensor, stored.size, either_way=stored.either_way)


def _times(values: np.ndarray, room: np.ndarray | None, offset: int) -> np.ndarray | None:
    """int64 (rows,): the times in order; None where they are not, or reach too far."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 8 and values.max() > LARGEST:
        return None
    if room is None:
        times = values.astype(np.int64)
    else:
        times = room
        if values is not room:
            np.copyto(times, values, casting="unsafe")
    if offset:
        times += offset
    return None if (times[1:] < times[:-1]).any() else times


def _pixels(values: np.ndarray, room: np.ndarray | None) -> int:
    """The largest; -1 where one is below 0 or above what Events hold."""
    most = int(values.max())
    if most > 65535 or (values.dtype.kind == "i" and values.min() < 0):
        return -1
    if room is not None and values is not room:
        np.copyto(room, values, casting="unsafe")
    return most


def _polarities(values: np.ndarray, room: np.ndarray | None) -> bool:
    """Whether all are 0 or 1; bytes of bool are looked at too."""
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    if values.max() > 1 or (values.dtype.kind == "i" and values.min() < 0):
        return False
    if room is not None and values is not room:
        np.copyto(room, values, casting="unsafe")
    return True
