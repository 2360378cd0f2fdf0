"""The text that AEDAT 2 and 3 files begin with: lines of `#`, one of which may name the chip; the chips that are known."""

from __future__ import annotations

import re
from typing import NamedTuple

CHIPS = {
    "DVS128": (128, 128),
    "DAVIS128": (128, 128),
    "DAVIS208": (208, 192),
    "DAVIS240": (240, 180),
    "DAVIS346": (346, 260),
    "DAVIS640": (640, 480),
}
# What jAER, cAER and AedatTools call chips of these kinds, but for their own names and what is added to them.
_ALIASES = {"TMPDIFF128": "DVS128", "SBRET10": "DAVIS240", "DAVI346": "DAVIS346", "CDAVIS640": "DAVIS640"}
_NO_CAMERAS = ("COCHLEA", "DAS1", "DYNAP")
_CHIP = re.compile(rb"#[\s-]*(?:AEChip:\s*(?:\S*\.)?|Source\s+\d+:\s*)(\S+)")

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_ENDS = (b"#!END-HEADER", b"#End Of ASCII Header")


def header_lines(data: bytes) -> tuple[list[bytes], int]:
    """The header's lines without their ends, and the offset at which the binary part begins.

    A first record may begin with the byte of `#` as well (a DAVIS of 180 rows: y of 36 to 39). The header ends where it
    says so and, in files that do not, where a line has bytes that no text has, as the time of a record does.
    """
    lines: list[bytes] = []
    at, first = 0, False  # whether lines end with CR LF
    while data[at : at + 1] == b"#":
        end = data.find(b"\n", at)
        if end < 0:
            return lines, at
        ending, line = data[end - 1] == 13, data[at:end].rstrip(b"\r")
        if lines and (_CONTROL.search(line) or (len(line) < 3 and ending != first)):
            break
        first = ending if not lines else first
        lines.append(line)
        at = end + 1
        if line.startswith(_ENDS):
            break
    return lines, at


class Chip(NamedTuple):
    """A chip as a header calls it, and which of CHIPS it is; "" where it is none of them. No name where none is given."""

    stated: str = ""
    known: str = ""

    @property
    def is_no_camera(self) -> bool:
        """Whether it is known to be another kind of sensor, or a processor."""
        return self.stated.upper().startswith(_NO_CAMERAS)


def chip_of(lines: list[bytes]) -> Chip:
    """The chip that a header names: of several, as after a filter, the first that is known."""
    stated = [match[1].decode("ascii", "replace") for line in lines if (match := _CHIP.match(line))]
    for name in stated:
        for alias, chip in [*((chip, chip) for chip in CHIPS), *_ALIASES.items()]:
            if name.upper().startswith(alias):
                return Chip(name, chip)
    return Chip(stated[0] if stated else "")
