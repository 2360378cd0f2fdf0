"""The header of Prophesee's files: lines of `%`, ended by `% end` or by the first byte that begins no such line."""

from __future__ import annotations

import re
from typing import NamedTuple

MOST_BYTES = 1 << 16


class Header(NamedTuple):
    """The lines without `% `, and the offset of the first byte after them."""

    lines: list[str]
    end: int

    def size(self) -> tuple[int, int] | None:
        """(width, height), where the header gives both: as `geometry 1280x720`, `width=1280` or `Width 1280`."""
        text = "\n".join(self.lines)
        if match := re.search(r"^geometry\s+(\d{1,5})x(\d{1,5})", text, re.IGNORECASE | re.MULTILINE):
            return _sane(match[1], match[2])
        sides = [
            re.search(rf"(?:^|;)\s*{side}[ =]\s*(\d{{1,5}})", text, re.I | re.M)
            for side in ("width", "height")
        ]
        return _sane(sides[0][1], sides[1][1]) if sides[0] and sides[1] else None


def _sane(width: str, height: str) -> tuple[int, int] | None:
    sides = int(width), int(height)
    return sides if all(1 <= side <= 65535 for side in sides) else None


def percent_header(data: bytes) -> Header:
    """The header at the beginning of `data`; no line where there is none.

    A line is `% ` and printable text: the first word of the binary part may begin with the same byte.
    """
    lines, at = [], 0
    while data[at : at + 2] == b"% " or data[at : at + 2] == b"%\n":
        stop = data.find(b"\n", at, at + MOST_BYTES)
        line = data[at + 1 : stop].strip()
        if stop < 0 or not all(32 <= byte < 127 or byte == 9 for byte in line):
            break
        lines.append(line.decode("ascii"))
        at = stop + 1
        if line == b"end":
            break
    return Header(lines, at)
