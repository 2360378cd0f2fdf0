"""Text and CSV: one event a line, four numbers, separated by comma, semicolon, tab or spaces.

A first line may name the columns; lines of `#` or `%` are comments; a first line of two numbers is width and height, as
E2VID's files have it. Without names, the order is t x y p, as in the Event Camera Dataset (Mueggler et al. 2017).
"""

from __future__ import annotations

import io
import re
from typing import ClassVar

import numpy as np

from eventbench.errors import BadRecording, BadSpec
from eventbench.events import Events
from eventbench.sources._named_columns import check_unit, found_columns, microseconds, whole_numbers
from eventbench.sources.base import Documentation, RawColumns, Source, checked_events, smallest_sensor

NUMBER = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_ROW = re.compile(rb"^\s*%s(?:(?:\s*[,;]\s*|\s+)%s){3,}\s*$" % (NUMBER, NUMBER))
# What to do about polarities that are none known.
COUNTED_FROM_1 = {
    "unknown_polarity": "name the columns with order, and first = 1 where they count from one",
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TEXT = frozenset(range(32, 127)) | {9, 10, 13}


class TextColumns(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of events as text.

    Parameters
    ----------
    order : the columns, as "xytp", with "-" for one to leave out; "" takes it from the header or else "txyp"
    unit : of the times, "ns", "us", "ms" or "s"; "" is "s" where a time has a fraction, else "us"
    first : what x, y and p are counted from, 0 or 1 (then polarities are 1 and 2)
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="text and CSV: an event a line, four numbers",
        recognised="text with a line of four numbers among the first; then the ending",
        sensor="a first line of two numbers, as E2VID's files have; else the smallest that holds every event",
        unit="`unit`; else s where a time has a fraction, else us",
        polarity="0 and 1, or -1 and +1; 1 and 2 with `first = 1`",
        traps=(
            "Without a line of names the order is t x y p. Coordinates with fractions (rectified) are "
            "refused, not rounded."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".csv", ".tsv")
    shared_suffixes: ClassVar[tuple[str, ...]] = suffixes

    order: str = ""
    unit: str = ""
    first: int = 0

    def __post_init__(self) -> None:
        if self.order and sorted(self.order.replace("-", "")) != sorted("txyp"):
            raise BadSpec(
                f"order is {self.order!r}", where="text_columns", allowed='t, x, y and p, as "txyp"'
            )
        check_unit(self.unit, "text_columns")
        if self.first not in (0, 1):
            raise BadSpec(f"first is {self.first!r}", where="text_columns", allowed="0 or 1")

    @classmethod
    def resembles(cls, data: bytes, size: int | None = None) -> bool:  # noqa: ARG003  # a line of the beginning is enough
        """Whether the first lines are text, and one of them four numbers or more."""
        head = data[:512].removeprefix(BYTE_ORDER_MARK)
        return set(head) <= _TEXT and any(_ROW.match(line) for line in head.splitlines()[:100])

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in `data`. Raises BadRecording, with the line, where one is not a row of numbers."""
        raw = self._read(data, name)
        t = microseconds(raw.t, raw.unit, name)
        x, y, p = (whole_numbers(values, key, name) for key, values in zip("xyp", raw[1:4], strict=True))
        if self.first:
            x, y, p = x - 1, y - 1, p - 1
        size = sensor or raw.size or smallest_sensor(x, y, name)
        return checked_events(t, x, y, p, sensor=size, name=name, fixes={} if self.first else COUNTED_FROM_1)

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns as they are written, in the order that the header or `order` gives."""
        return self._read(data, "")

    def _read(self, data: bytes, name: str) -> RawColumns:
        data = data.removeprefix(BYTE_ORDER_MARK)  # which spreadsheets write
        names, size, start, separator = _head(data, name)
        columns = _table(
            data[start:], separator, self.order or _order(names), name, data.count(b"\n", 0, start)
        )
        unit = self.unit or ("s" if columns["t"].dtype.kind == "f" else "us")
        return RawColumns(columns["t"], columns["x"], columns["y"], columns["p"], unit, size)


def _head(data: bytes, name: str) -> tuple[list[str], tuple[int, int] | None, int, str | None]:
    """(names of the columns, size, offset of the first row, separator); raises BadRecording where no row follows."""
    names: list[str] = []
    size, at = None, 0
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        line = data[at:end].strip()
        if _ROW.match(line):
            separator = next((chr(mark) for mark in b",;" if mark in line), None)
            return names, size, at, separator
        words = [word.strip(b"\"'") for word in re.split(rb"[\s,;]+", line.lstrip(b"#% "))]
        if not names and len(found_columns(word.decode("latin-1") for word in words)) == 4:
            names = [word.decode("latin-1") for word in words]
        elif re.fullmatch(rb"\d{1,5}\s+\d{1,5}", line) and size is None:
            size = int(words[0]), int(words[1])
        elif line and line[:1] not in b"#%":
            number = data.count(b"\n", 0, at) + 1
            raise BadRecording(
                f"line {number} is {line[:60].decode('latin-1')!r}",
                where=name,
                allowed="names of columns, a comment, or four numbers",
            )
        at = end + 1
    raise BadRecording("no line of four numbers in it", where=name, allowed="an event a line: t x y p")


def _order(names: list[str]) -> str:
    """The columns as `order` has them, of the names in a header; "txyp" without."""
    if not names:
        return "txyp"
    column_of = {name: column for column, name in found_columns(names).items()}
    return "".join(column_of.get(name, "-") for name in names)


def _table(rows: bytes, separator: str | None, order: str, name: str, before: int) -> dict[str, np.ndarray]:
    """Each column of the rows; whole numbers as int64, else float64."""
    columns = {}
    try:
        table = np.loadtxt(
            io.BytesIO(rows),
            np.float64,
            delimiter=separator,
            comments=["#", "%"],
            ndmin=2,
            encoding="latin-1",
        )
    except ValueError as error:
        message = str(error).partition(";")[0]  # NumPy's: after it comes advice on its own parameters
        before += "could not convert" in message  # where alone NumPy counts rows from 0
        message = re.sub(r"\brow (\d+)", lambda row: f"line {int(row[1]) + before}", message)
        raise BadRecording(f"not rows of numbers: {message}", where=name) from None
    if table.shape[1] != len(order):
        raise BadRecording(
            f"{table.shape[1]} columns",
            where=name,
            allowed=f"{len(order)}, {order!r}",
            fix="name them with order",
        )
    for column, values in zip(order, table.T, strict=True):
        if column == "-":
            continue
        large = np.abs(values).max(initial=0) >= 2**53
        if large:
            raise BadRecording(
                f"{column} reaches {values.max():.0f}", where=name, allowed="numbers below 2**53"
            )
        whole = values.astype(np.int64) if np.isfinite(values).all() else None
        columns[column] = values if whole is None or not (whole == values).all() else whole
    return columns
