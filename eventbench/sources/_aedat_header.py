"""The text that AEDAT 2 and 3 files begin with: lines of `#`, one of which may name the chip."""

from __future__ import annotations

import re

from eventbench.errors import BadRecording

CHIPS = {"DVS128": (128, 128), "DAVIS240": (240, 180), "DAVIS346": (346, 260)}
_CHIP = re.compile(rb"#\s*(?:AEChip:\s*(?:\S*\.)?|Source\s+\d+:\s*)(\S+)")

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


def chip_of(lines: list[bytes], name: str) -> str:
    """The chip a header names, of CHIPS; "" where it names none. Raises BadRecording for one that is no event camera."""
    for line in lines:
        if match := _CHIP.match(line):
            stated = match[1].decode("ascii", "replace")
            for chip in CHIPS:
                if stated.upper().startswith(chip):
                    return chip
            raise BadRecording(
                f"the header names the chip {stated}, which is no event camera known here",
                where=name,
                allowed=", ".join(CHIPS),
                fix='if its words are those of one of these, set camera = "..." in [source]',
            )
    return ""
