"""The text that AEDAT 2 and 3 files begin with: lines of `#`, one of which may name the chip."""

from __future__ import annotations

import re

from eventbench.errors import BadRecording

CHIPS = {"DVS128": (128, 128), "DAVIS240": (240, 180), "DAVIS346": (346, 260)}
_CHIP = re.compile(rb"#\s*(?:AEChip:\s*(?:\S*\.)?|Source\s+\d+:\s*)(\S+)")


def header_lines(data: bytes) -> tuple[list[bytes], int]:
    """The header's lines without their ends, and the offset at which the binary part begins."""
    lines: list[bytes] = []
    at = 0
    while data[at : at + 1] == b"#":
        end = data.find(b"\n", at)
        if end < 0:
            return lines, at
        lines.append(data[at:end].rstrip(b"\r"))
        at = end + 1
        if lines[-1].startswith(b"#!END-HEADER"):
            break
    return lines, at


def chip_of(lines: list[bytes], name: str) -> str:
    """The chip a header names, of CHIPS; "" where it names none. Raises BadRecording for one that is no event camera."""
    for line in lines:
        if found := _CHIP.match(line):
            said = found[1].decode("ascii", "replace")
            for chip in CHIPS:
                if said.upper().startswith(chip):
                    return chip
            raise BadRecording(
                f"the header names the chip {said}, which is no event camera known here",
                where=name,
                allowed=", ".join(CHIPS),
                fix='if its words are those of one of these, set camera = "..." in [source]',
            )
    return ""
