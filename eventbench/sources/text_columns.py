"""Text and CSV: one event a line, four numbers, separated by comma, semicolon, tab or blanks.

A first line may name the columns, and the unit of times ("timestamp [us]"); lines of `#` or `%` are comments; a first
line of two numbers is width and height, as E2VID's files have it. Without names, the order is t x y p, as in the Event
Camera Dataset (Mueggler et al. 2017), unless the columns behave as in another order (Metavision writes x y p t).
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import ClassVar

import numpy as np

from eventbench.errors import BadRecording, BadSpec
from eventbench.files.content import file_head, file_size
from eventbench.files.progress import Progress, no_progress
from eventbench.sources._columns import text_kernels as kernels
from eventbench.sources._columns.named import (
    check_first,
    check_order,
    check_subpixels,
    check_unit,
)
from eventbench.sources._columns.order import found_order
from eventbench.sources._columns.source import order_note, outside_fixes
from eventbench.sources._columns.stored import file_array
from eventbench.sources._columns.text_head import (
    NUMBER,
    UTF16,
    Head,
    as_ascii,
    head_of,
    is_row,
    order_of_names,
    stated_unit,
)
from eventbench.sources._columns.text_plain import (
    HEAD_BYTES,
    Rows,
    decode_piece_plain,
    decoded_plain,
    rows_of,
    scan_plain,
)
from eventbench.sources._columns.values import (
    DATES_S,
    microseconds,
    refuse_fixed_point,
    signed_polarity,
    whole_numbers,
)
from eventbench.sources._unit_doubts import ReadAs, scan_with_doubt, with_doubt
from eventbench.sources.base import (
    Columns,
    Decoded,
    Documentation,
    Note,
    Piece,
    RawColumns,
    Scan,
    Size,
    Source,
    how_to_set,
    smallest_sensor,
)

_TEXT = frozenset(range(32, 127)) | {9, 10, 13}
_TOKEN = re.compile(NUMBER)


class TextColumns(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of events as text.

    Parameters
    ----------
    order : the columns, as "xytp", with "-" for one to leave out; "" takes it from the header, else from how the columns
        behave, else "txyp"
    unit : of the times, "ns", "us", "ms" or "s"; "" takes it from the header, else it is "s" where a time has a
        fraction, "ns" where times are dates in nanoseconds, else "us"
    first : what x and y are counted from, 0 or 1; with 1, polarities may be 1 and 2 too
    subpixels : how many steps of x and y are a pixel, for fixed point; 1 for whole pixels
    last_rows : how many rows at the end are no events, as the terminator of MNIST-DVS in text, `0 0 200010 0`
    """

    version: ClassVar[int] = 2  # 2: sizes in comments, and orders told from the columns
    about: ClassVar[Documentation] = Documentation(
        what="text and CSV: an event a line, four numbers",
        recognised="text with a line of four numbers among the first; then the ending",
        sensor="a first line of two numbers, as E2VID's files have; else the smallest that holds every event",
        unit="`unit`, or as the header says; else s where a time has a fraction, else us",
        polarity="0 and 1, -1 and +1, true and false, ON and OFF; 1 and 2 with `first = 1`",
        traps=(
            "Without a line of names the order is told from the columns: t rises, p has two values. Coordinates with "
            "fractions (rectified) are refused, not rounded."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".csv", ".tsv")
    shared_suffixes: ClassVar[tuple[str, ...]] = suffixes

    order: str = ""
    unit: str = ""
    first: int = 0
    subpixels: int = 1
    last_rows: int = 0

    def __post_init__(self) -> None:
        if self.last_rows < 0:
            raise BadSpec(f"last_rows is {self.last_rows}", where="text_columns", allowed="0 or more")
        check_order(self.order, "text_columns")
        check_unit(self.unit, "text_columns")
        check_first(self.first, "text_columns")
        check_subpixels(self.subpixels, "text_columns")

    @classmethod
    def resembles(cls, data: bytes, size: int | None = None) -> bool:  # noqa: ARG003  # a line of the beginning is enough
        """Whether the first lines are text, and one of them four numbers or more."""
        head = data[:1024].decode("utf-16", "ignore").encode() if data.startswith(UTF16) else data[:512]
        head = head.removeprefix(codecs.BOM_UTF8)
        return set(head) <= _TEXT and any(map(is_row, head.splitlines()[:100]))

    def read_counted(self, recording: Path | str, sensor: Size | None = None) -> Decoded:
        """As `decode_counted`, of a file."""
        data = file_array(recording, after=b"\n")
        ended = len(data) > 1 and data[-2] == ord("\n")
        plain = self._plain(data[:-1] if ended else data, str(recording), sensor)
        return plain or self._decoded(data[:-1].tobytes(), str(recording), sensor)

    def decode_counted(self, data: bytes, name: str, sensor: Size | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording, with the line, where one is not a row of numbers."""
        ended = np.frombuffer(data if data.endswith(b"\n") else data + b"\n", np.uint8)
        return self._plain(ended, name, sensor) or self._decoded(data, name, sensor)

    def scan(self, path: Path, sensor: Size | None = None, progress: Progress = no_progress) -> Scan | None:
        """Pieces of rows of whole numbers, or seconds; None for a text that needs more than a look."""
        head, size = file_head(path, HEAD_BYTES)
        if size <= len(head) and not head.endswith(b"\n"):
            head += b"\n"
        rows = self._rows(head, str(path))
        scan = rows and scan_plain(path, size, rows, sensor, progress)
        return rows and scan_with_doubt(self, path, scan, rows.read_as(self.unit))

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:  # noqa: ARG002  # the piece says all
        """The rows of a piece."""
        return decode_piece_plain(path, file_size(path), piece)

    def _plain(self, data: np.ndarray, name: str, sensor: Size | None) -> Decoded | None:
        rows = self._rows(data[:HEAD_BYTES].tobytes(), name)
        found = rows and decoded_plain(data, rows, sensor, name)
        return rows and found and with_doubt(found, rows.read_as(self.unit))

    def _rows(self, head: bytes, name: str) -> Rows | None:
        if self.first or self.subpixels != 1 or self.last_rows:
            return None

        def table(part: bytes, head: Head) -> list[np.ndarray]:
            return self._table(part, head, name, 0)[0]

        return rows_of(head, self.order, self.unit, name, table)

    def _decoded(self, data: bytes, name: str, sensor: Size | None) -> Decoded:
        raw, notes, read_as = self._read(data, name)
        t = microseconds(raw.t, raw.unit, name)
        x, y, p = (whole_numbers(values, key, name) for key, values in zip("xyp", raw[1:4], strict=True))
        p = signed_polarity(p)
        fixes = outside_fixes(x, y, sensor or raw.size, first=self.first, subpixels=self.subpixels)
        if sensor is None and raw.size is None and self.subpixels == 1:
            refuse_fixed_point(x, y, name)
        if self.subpixels > 1:
            x, y = x // self.subpixels, y // self.subpixels
        if self.first:
            x, y = x - 1, y - 1
            p = p - 1 if len(p) and p.min() >= 1 else p
        else:
            fixes |= _unknown_polarity(p)
        size = sensor or raw.size or smallest_sensor(x, y, name)
        found = self.checked((t, x, y, p), sensor=size, name=name, notes=notes, fixes=fixes)
        return with_doubt(found, read_as)

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns as they are written, in the order that the header or `order` gives; words as true and false."""
        return self._read(data, "")[0]

    def _read(self, data: bytes, name: str) -> tuple[RawColumns, list[Note], ReadAs]:
        data = as_ascii(data)
        head = head_of(data, self.order, name)
        table, notes = self._table(data[head.start :], head, name, data.count(b"\n", 0, head.start))
        if self.last_rows:
            table = [column[: -self.last_rows] for column in table]
            notes.append(
                Note(
                    "last_rows",
                    f"the last {self.last_rows:,} rows are left out, as last_rows says",
                    self.last_rows,
                )
            )
        order = self.order or order_of_names(head.names)
        if not order and len(table) == 4:
            order = found_order(table, "txyp", name)
            notes += [order_note(order)] if order != "txyp" else []
        order = order or "txyp"
        if len(table) != len(order):
            raise BadRecording(
                f"{len(table)} columns",
                where=name,
                allowed=f"{len(order)}, {order!r}",
                fix=f"name them with order, - for one to leave out: {how_to_set('order', _longer(len(table)))}, or as they are",
            )
        columns = {
            key: _whole(key, values, name) for key, values in zip(order, table, strict=True) if key != "-"
        }
        stated = stated_unit(head.names)
        unit = self.unit or stated or _unit(columns["t"])
        raw = RawColumns(columns["t"], columns["x"], columns["y"], columns["p"], unit, head.size)
        return raw, notes, ReadAs(unit, given=bool(self.unit), stated=bool(stated))

    def _table(self, rows: bytes, head: Head, name: str, before: int) -> tuple[list[np.ndarray], list[Note]]:
        """Each column of the rows; `before` lines come before them. A last line that is cut is left out with `salvage`."""
        if head.decimal_comma:
            rows = rows.replace(b",", b".")
        ended = rows.endswith(b"\n")
        rows = rows if ended else rows + b"\n"
        data = np.frombuffer(rows, np.uint8)
        most = min(int(np.count_nonzero(data == 10)), len(data) // (2 * head.columns) + 1)
        values, powers = np.empty((head.columns, most), np.int64), np.empty((head.columns, most), np.int8)
        count, wrong, line, column, at, end = kernels.parse(data, ord(head.separator), values, powers)
        notes = []
        if wrong:
            refusal = _no_rows(rows, wrong, (line + before + 1, column + 1, at), head.columns, name)
            if ended or rows.find(b"\n", end) < len(rows) - 1:
                raise refusal
            notes = [self.cut_off(refusal.what, name)]
        return [_numbers(rows, values[k, :count], powers[k, :count]) for k in range(head.columns)], notes


def _longer(columns: int) -> str:
    """An order of so many columns, for example."""
    return "-" * (columns - 4) + "txyp" if columns >= 4 else "txyp"


def _no_rows(rows: bytes, wrong: int, place: tuple[int, int, int], columns: int, name: str) -> BadRecording:
    """What is wrong at a place (line, column, byte)."""
    line, column, at = place
    if wrong == kernels.OTHER_COUNT:
        what = f"the number of columns changes from {columns} at line {line}"
    else:
        word = re.split(rb"[,;\s]", rows[at : at + 40].lstrip(), maxsplit=1)[0].decode("latin-1")
        what = f"line {line}, column {column}, is {word!r}"
    return BadRecording(f"not rows of numbers: {what}", where=name, fix="mend that line, or take it out")


def _unknown_polarity(p: np.ndarray) -> dict[str, str]:
    """What to do about polarities that are none known."""
    if len(p) and int(p.min()) >= 1 and int(p.max()) == 2:
        fix = f"polarities, and then x and y, seem to count from one: {how_to_set('first', 1)}"
    else:
        fix = f"name the columns with order, as in {how_to_set('order', 'xypt')}, and set first = 1 where they count from one"
    return {"unknown_polarity": fix}


def _unit(t: np.ndarray) -> str:
    """The unit of times as they look."""
    if t.dtype.kind == "f":
        return "s"
    is_date = len(t) and DATES_S[0] * 10**9 <= int(t.min()) and int(t.max()) <= DATES_S[1] * 10**9
    return "ns" if is_date else "us"


def _numbers(rows: bytes, values: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """The numbers value / 10 ** power, each rounded once; bool where all are words."""
    words = powers == kernels.WORD
    if words.any():
        return values.astype(bool) if words.all() else np.full(len(values), np.nan)
    if not powers.any():
        return values
    scales = 10.0 ** np.arange(23)
    hard = np.flatnonzero(powers == kernels.HARD)
    down, up = np.maximum(powers, 0), np.maximum(-powers, 0)
    down[hard] = up[hard] = 0
    numbers: np.ndarray = values / scales[down] * scales[up]
    for row in hard.tolist():
        token = _TOKEN.match(rows, int(values[row]))
        numbers[row] = float(token[0]) if token else np.nan
    return numbers


def _whole(column: str, values: np.ndarray, name: str) -> np.ndarray:
    """The column as int64 where all of it is whole, else as it is."""
    if values.dtype.kind != "f":
        return values
    if np.abs(values).max(initial=0) >= 2**53:
        raise BadRecording(f"{column} reaches {values.max():.0f}", where=name, allowed="numbers below 2**53")
    whole = values.astype(np.int64) if np.isfinite(values).all() else None
    return values if whole is None or not (whole == values).all() else whole
