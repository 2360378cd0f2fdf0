"""The header of Prophesee's files: lines of `%`, ended by `% end` or by the first byte that begins no such line.

Some writers put NUL for the end of a line, names in UTF-8 or Latin 1, and CR before LF.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MOST_BYTES = 1 << 16
SHORT = 1 << 18  # bytes of a file whose header is kept until the next one


class Header(NamedTuple):
    """The lines without `% `, and the offset of the first byte after them."""

    lines: list[str]
    end: int

    def size(self) -> tuple[int, int] | None:
        """(width, height), where the header gives both: as `geometry 1280x720`, `width=1280` or `Width 1280`."""
        text = "\n".join(self.lines).lower()
        if "geometry" in text and (match := _GEOMETRY.search(text)):
            return _sane(match[1], match[2])
        if "width" not in text or "height" not in text:
            return None
        sides = [side.search(text) for side in _SIDES]
        return _sane(sides[0][1], sides[1][1]) if sides[0] and sides[1] else None


def _sane(width: str, height: str) -> tuple[int, int] | None:
    sides = int(width), int(height)
    return sides if all(1 <= side <= 65535 for side in sides) else None


_GEOMETRY = re.compile(r"^geometry\s+(\d{1,5})x(\d{1,5})", re.MULTILINE)
_SIDES = [re.compile(rf"(?:^|;)\s*{side}[ =]\s*(\d{{1,5}})", re.MULTILINE) for side in ("width", "height")]
_CONTROL = re.compile(rb"[\x01-\x08\x0a-\x1f\x7f]")
_PLAIN = re.compile(rb"(?:% [ -~]*\r?\n|%\n)*")  # lines of nothing but printable ASCII, as most headers are
_NAMED = re.compile(rb"\s*[A-Za-z][A-Za-z_]{2,}[ :=]")  # how a line begins whose rest may be in any alphabet


_last: tuple[bytes, Header] = (b"", Header([], 0))


def percent_header(data: bytes) -> Header:
    """The header at the beginning of `data`; no line where there is none.

    A line is `% ` and text: the first word of the binary part may begin with the same byte. NUL stands for the end of a line
    only where an end of the header is stated.
    """
    global _last  # a file is recognised by its header, then decoded by it: half the time of a short one
    if data is _last[0]:
        return _last[1]
    header = _parsed(data)
    if len(data) <= SHORT:
        _last = data, header
    return header


def _parsed(data: bytes) -> Header:
    plain = _PLAIN.match(data, 0, MOST_BYTES)
    if plain and plain.end() < MOST_BYTES and not data.startswith((b"% ", b"%\n"), plain.end()):
        lines = [line[1:].strip("% \t\r") for line in plain[0].decode("ascii").split("\n")[:-1]]
        if "end" not in lines:
            return Header(lines, plain.end())
    return _line_by_line(data)


def _line_by_line(data: bytes) -> Header:
    """As `percent_header`, of any header."""
    lines: list[str] = []
    at = 0
    while data.startswith((b"% ", b"%\n"), at):
        stop = data.find(b"\n", at, at + MOST_BYTES)
        line = data[at + 1 : stop].strip()
        if stop < 0 or not _is_text(line, data, at):
            break
        parts = [part.strip(b"% \r") for part in line.split(b"\0")]
        lines += [part.decode("utf-8", "replace") for part in parts if part or len(parts) == 1]
        at = stop + 1
        if parts[-1] == b"end":
            break
    return Header(lines, at)


def _is_text(line: bytes, data: bytes, at: int) -> bool:
    """Whether a line, which begins at byte `at`, is one of text."""
    if _CONTROL.search(line) or (b"\0" in line and at > data.find(b"% end", 0, MOST_BYTES)):
        return False
    return line.isascii() or bool(_NAMED.match(line))
