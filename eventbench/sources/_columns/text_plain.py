"""Text of rows of whole numbers, read in one pass; what needs more than that is left to `TextColumns`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.events.memory import columns as fresh_columns
from eventbench.files.content import file_open, read_into
from eventbench.files.progress import Progress
from eventbench.sources._columns import text_plain_kernels as kernels
from eventbench.sources._columns.named import found_columns, unit_in_name
from eventbench.sources._columns.order import LOOKED_AT, behaviour_of, found_order
from eventbench.sources._columns.plain import sensor_of
from eventbench.sources._columns.source import order_note
from eventbench.sources._columns.text_head import Head, as_ascii, head_of
from eventbench.sources._columns.values import DATES_S
from eventbench.sources._unit_doubts import ReadAs
from eventbench.sources.base import PIECE_EVENTS, Columns, Decoded, Note, Piece, Scan, Size

HEAD_BYTES = 1 << 16
WINDOW_BYTES = 1 << 24  # of the file that are looked at at a time
LONGEST_ROW = 64  # bytes, about
SLOTS = {"t": kernels.T, "x": kernels.X, "y": kernels.Y, "p": kernels.P, "-": kernels.NONE}
Tables = Callable[[bytes, Head], list[np.ndarray]]


class Rows(NamedTuple):
    """How the rows of a text are read: where they begin, what each column is, what separates them, what times are in.

    `told` says that a header or a parameter gives the order; else it is what the first rows do, and all have to. `unit`
    is "" where only the values say it. `size` is the sensor's, where it is stated.
    """

    start: int
    order: str
    told: bool
    separator: int
    unit: str
    seconds: bool
    size: Size | None
    columns: int

    def read_as(self, given: str) -> ReadAs:
        """The unit of its times, of which whoever reads says this, "" where nothing."""
        return ReadAs("s" if self.seconds else self.unit or "us", given=bool(given), stated=bool(self.unit))


def rows_of(head: bytes, order: str, unit: str, name: str, table: Tables) -> Rows | None:
    """How the rows of a text that begins so are read; None where they are not of the simple kind.

    `table` reads rows of any kind.
    """
    head = head[: head.rfind(b"\n") + 1]
    if as_ascii(head) != head:
        return None
    try:
        found = head_of(head, order, name)
        names = found_columns(found.names)
        by_name = {stored_as: key for key, stored_as in names.items()}
        told = order or "".join(by_name.get(stored_as, "-") for stored_as in found.names)
        if found.decimal_comma or len(told or "txyp") != found.columns:
            return None
        named = told or found_order(table(head[found.start :], found), "txyp", name)
    except BadRecording:
        return None
    unit = unit or (unit_in_name(names["t"]) if "t" in names else "")
    row = head[found.start : head.find(b"\n", found.start)]
    separator = ord("\t") if found.separator == " " and b"\t" in row else ord(found.separator)
    seconds = unit == "s" or (not unit and b"." in row)
    if unit not in ("", "us", "s"):
        return None
    return Rows(found.start, named, bool(told), separator, unit, seconds, found.size, found.columns)


def decoded_plain(data: np.ndarray, rows: Rows, sensor: Size | None, name: str) -> Decoded | None:
    """The events of uint8 (bytes,), which end with a line feed; None where a row needs more than a look."""
    rest = len(data) - rows.start
    head = data[rows.start : rows.start + HEAD_BYTES]
    likely = int(np.count_nonzero(head == 10)) * rest // len(head)
    for most in (likely + likely // 8 + 64, rest // (2 * rows.columns) + 1):
        room = tuple(fresh_columns(most))
        slots = np.array([SLOTS[key] for key in rows.order], np.uint8)
        count, at, wide, high, fractions = kernels.rows_of_whole_numbers(
            data, rows.start, len(data), np.uint8(rows.separator), slots, rows.seconds, -1, *room
        )
        if at == len(data) or count < most:
            break
    t, x, y, p = (column[:count] for column in room)
    if at < len(data) or not count:
        return None
    heads = [column[:LOOKED_AT] for column in (t, x, y, p)]
    size = _size_of(rows, heads, Reach(int(t[0]), int(t[-1]), wide, high, fractions), sensor, name)
    return Decoded(Events.trusted(t, x, y, p, size), {}, _notes(rows)) if size else None


class Reach(NamedTuple):
    """The first and last time, the largest x and y, and whether a time has a fraction, of all rows."""

    first_us: int
    last_us: int
    wide: int
    high: int
    fractions: bool


def scan_plain(path: Path, size: int, rows: Rows, sensor: Size | None, progress: Progress) -> Scan | None:
    """Pieces of bytes that begin with a row, what `decode_piece_plain` has to know as their state; None as `decoded_plain`."""
    slots = np.array([SLOTS[key] for key in rows.order], np.uint8)
    room = tuple(fresh_columns(PIECE_EVENTS))
    pieces: list[Piece] = []
    heads: list[np.ndarray] = []
    at, last, wide, high, fractions = rows.start, -1, 0, 0, False
    window = min(PIECE_EVENTS * LONGEST_ROW, WINDOW_BYTES)
    with file_open(path) as file:
        windows = _windows(file, path, at, size, window)
        for start, data in progress(windows, of=path.name, unit="part", total=-(-size // window)):
            begin = 0
            while begin < len(data):
                count, end, x, y, fraction = kernels.rows_of_whole_numbers(
                    data, begin, len(data), np.uint8(rows.separator), slots, rows.seconds, last, *room
                )
                if end < len(data) and count < PIECE_EVENTS:
                    return None
                wide, high, fractions = max(wide, x), max(high, y), fractions or fraction
                if count:
                    first, last = int(room[0][0]), int(room[0][count - 1])
                    state = (rows.separator, int(rows.seconds), *slots.tolist())
                    pieces.append(Piece(start + begin, start + end, count, first, last, state))
                    heads = _longer_heads(heads, [column[:count] for column in room])
                begin = end
    if not pieces:
        return None
    reach = Reach(pieces[0].first_us, last, wide, high, fractions)
    sensor_size = _size_of(rows, heads, reach, sensor, path.name)
    return Scan(sensor_size, pieces, notes=_notes(rows)) if sensor_size else None


def decode_piece_plain(path: Path, size: int, piece: Piece) -> Columns:
    """The rows of a piece of `scan_plain`, of a file of so many bytes."""
    t, x, y, p = fresh_columns(piece.events)
    separator, seconds, *slots = piece.state
    with file_open(path) as file:
        data = _part(file, path, piece.start, min(piece.stop, size))
    kernels.rows_of_whole_numbers(
        data, 0, len(data), np.uint8(separator), np.array(slots, np.uint8), bool(seconds), -1, t, x, y, p
    )
    return t, x, y, p


def _windows(file: int, path: Path, at: int, size: int, window: int) -> Iterator[tuple[int, np.ndarray]]:
    """(place, bytes) of whole lines, about `window` bytes of them at a time."""
    while at < size:
        data, asked = _part(file, path, at, min(at + window, size)), window
        while at + asked < size and not (data == 10)[:asked].any():
            asked *= 2
            data = _part(file, path, at, min(at + asked, size))
        if at + asked < size:
            data = data[: int(np.flatnonzero(data[:asked] == 10)[-1]) + 1]
        yield at, data
        at += len(data)


def _part(file: int, path: Path, start: int, stop: int) -> np.ndarray:
    """uint8 (bytes,): a part of the file, with a line feed after it where there is none."""
    data = np.empty(stop - start + 1, np.uint8)
    read_into(file, data[:-1], start, str(path))
    data[-1] = 10
    return data[:-1] if len(data) > 1 and data[-2] == 10 else data


def _longer_heads(heads: list[np.ndarray], more: list[np.ndarray]) -> list[np.ndarray]:
    """The first LOOKED_AT values of each column."""
    known = len(heads[0]) if heads else 0
    if known >= LOOKED_AT:
        return heads
    added = [column[: LOOKED_AT - known].copy() for column in more]
    return [np.concatenate(pair) for pair in zip(heads, added, strict=True)] if heads else added


def _notes(rows: Rows) -> tuple[Note, ...]:
    return () if rows.told or rows.order == "txyp" else (order_note(rows.order),)


def _size_of(
    rows: Rows, heads: list[np.ndarray], reach: Reach, sensor: Size | None, name: str
) -> Size | None:
    """The sensor, where all that the rows were taken for holds of all of them; else None."""
    if max(reach.wide, reach.high) > 65535 or not _is_unit(rows, reach):
        return None
    if not rows.told and not _is_order(rows, heads, reach, name):
        return None
    return sensor_of(reach.wide, reach.high, sensor, rows.size)


def _is_unit(rows: Rows, reach: Reach) -> bool:
    """Whether the times are in the unit that they were taken to be in."""
    if rows.unit:
        return True
    is_date = DATES_S[0] * 10**9 <= reach.first_us and reach.last_us <= DATES_S[1] * 10**9
    return reach.fractions if rows.seconds else not is_date


def _is_order(rows: Rows, heads: list[np.ndarray], reach: Reach, name: str) -> bool:
    """Whether all columns behave as the first rows do."""
    t, x, y, p = heads
    scale = kernels.PER_S if rows.seconds else 1
    times = behaviour_of(t, reach.first_us / scale, reach.last_us / scale, whole=not rows.seconds)
    behaviours = {
        "t": times,
        "x": behaviour_of(x, 0, reach.wide, whole=True),
        "y": behaviour_of(y, 0, reach.high, whole=True),
        "p": behaviour_of(p, 0, 1, whole=True),
    }
    columns = {"t": t, "x": x, "y": y, "p": p}
    try:
        found = found_order(
            [columns[key] for key in rows.order], "txyp", name, [behaviours[key] for key in rows.order]
        )
    except BadRecording:
        return False
    return found == rows.order
