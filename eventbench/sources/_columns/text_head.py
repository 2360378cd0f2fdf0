"""The beginning of a text file: its encoding, separator, names of columns, size of the sensor, and where its rows begin."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from eventbench.errors import BadRecording
from eventbench.sources._columns.named import found_columns, unit_in_name
from eventbench.sources.base import how_to_set

NUMBER = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_FIELD = rb"[\"']?(?:%s|(?i:true|false|on|off|pos|neg|positive|negative))[\"']?" % NUMBER
_ROW = re.compile(rb"^\s*%s(?:(?:\s*[,;]\s*|\s+)%s){3,}\s*[,;]?\s*$" % (_FIELD, _FIELD))
_SIZE = re.compile(
    rb"(?i)\b(?:geometry|resolution|sensor[ _]?size)\s*[:=]?\s*[\[(]?\s*(\d{1,5})\s*[x, ]\s*(\d{1,5})"
)
LOOKED_AT = 200  # lines before the first row that are not comments
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Head(NamedTuple):
    """What the lines before the first row say. `decimal_comma`: numbers are written as 0,5."""

    names: list[str]
    size: tuple[int, int] | None
    start: int
    separator: str
    decimal_comma: bool
    columns: int


def as_ascii(data: bytes) -> bytes:
    """The text in UTF-8 or a code page, without byte order mark, lines ended by line feeds."""
    if data.startswith(UTF16) and not data.startswith(codecs.BOM_UTF32_LE):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\r" in data[:4096] and b"\n" not in data[:4096]:
        data = data.replace(b"\r", b"\n")
    return data


def separator_of(line: bytes) -> tuple[str, bool]:
    """(separator, whether a comma is the decimal one) of a row; the separator of blanks and tabs is " "."""
    if b";" in line:
        return ";", b"," in line
    if b"," in line:
        commas = line.count(b",")
        decimal = len(line.split()) >= 4 and len(re.findall(rb"\d,\d", line)) == commas < 4
        return (" ", True) if decimal else (",", False)
    return " ", False


def is_row(line: bytes) -> bool:
    """Whether a line is four numbers or more."""
    if len(line) > 1000:
        return False
    return bool(_ROW.match(line.replace(b",", b".") if separator_of(line)[1] else line))


def is_comment(line: bytes) -> bool:
    """Whether a line, of no blank before it, is a comment."""
    return line[:1] in b"#%" or line.startswith(b"//")


def head_of(data: bytes, order: str, name: str) -> Head:
    """What comes before the first row. Raises BadRecording where no row follows, or a line is none of what may come."""
    before: list[tuple[int, bytes]] = []
    at = number = others = 0
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        line = data[at:end].strip()
        number += 1
        if is_row(line):
            return _head(before, at, line, order, name)
        if line:
            before.append((number, line))
            others += not is_comment(line)
        if others > LOOKED_AT:
            break
        at = end + 1
    for number, line in before:
        if not is_comment(line) and not re.fullmatch(rb"\d{1,5}\s+\d{1,5}", line):
            raise _no_row(number, line, name)
    raise BadRecording("no line of four numbers in it", where=name, allowed="an event a line: t x y p")


def _head(before: list[tuple[int, bytes]], start: int, row: bytes, order: str, name: str) -> Head:
    separator, decimal_comma = separator_of(row)
    columns = len(_split(row, separator))
    names: list[str] = []
    size = None
    for number, line in before:
        words = [word.decode("utf-8", "replace") for word in _split(line.lstrip(b"#%/"), separator)]
        if len(words) != columns:
            words = [word.decode("utf-8", "replace") for word in re.split(rb"[\s,;]+", line.lstrip(b"#%/ "))]
        comment = is_comment(line)
        if stated := _SIZE.search(line) if comment else re.fullmatch(rb"(\d{1,5})\s+(\d{1,5})", line):
            size = size or (int(stated[1]), int(stated[2]))
        elif not names and len(words) == columns and len(found_columns(words)) == 4:
            names = words
        elif not comment and not (order and len(words) == columns):
            raise _no_row(number, line, name)
    return Head(names, size, start, separator, decimal_comma, columns)


def _split(line: bytes, separator: str) -> list[bytes]:
    """The fields of a line, without quotes; a separator at its end begins no other."""
    if separator == " ":
        line = b"\t".join(re.sub(rb"\s+([\[(])", rb"\1", part) for part in line.split(b"\t"))
        fields = line.split()
    else:
        fields = line.split(separator.encode())
        if len(fields) > 4 and not fields[-1].strip():
            fields = fields[:-1]
    return [field.strip().strip(b"\"'").strip() for field in fields]


def _no_row(number: int, line: bytes, name: str) -> BadRecording:
    shown = line[:60].decode("latin-1")
    if line.startswith((b"{", b"[")):
        return BadRecording(
            f"line {number} is {shown!r}: JSON",
            where=name,
            allowed="columns of numbers",
            fix="write them as CSV, with a first line t,x,y,p",
            reason="json_lines",
        )
    return BadRecording(
        f"line {number} is {shown!r}",
        where=name,
        allowed="names of columns, a comment, or four numbers",
        fix=f"if it names the columns, say which is which: {how_to_set('order', 'txyp')}, or as they are",
    )


def stated_unit(names: list[str]) -> str:
    """The unit of times as the header says, "" where it does not."""
    return next(
        (unit for name in names if name == found_columns(names)["t"] and (unit := unit_in_name(name))), ""
    )


def order_of_names(names: list[str]) -> str:
    """The columns as `order` has them, of the names in a header; "" without."""
    column_of = {name: column for column, name in found_columns(names).items()}
    return "".join(column_of.get(name, "-") for name in names)
