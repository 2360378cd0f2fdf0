"""The text that AEDAT 2 and 3 files begin with: lines of `#`, one of which may name the chip; the chips that are known."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit

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

_ENDS = (b"#!END-HEADER", b"#End Of ASCII Header")
FIRST_BYTES = 1 << 16
_HASH, _LF, _CR, _TAB, _SPACE, _DELETE = b"#\n\r\t \x7f"


def header_of(data: bytes | np.ndarray) -> bytes:
    """The header: the lines up to where the binary part begins.

    A first record may begin with the byte of `#` as well (a DAVIS of 180 rows: y of 36 to 39). The header ends where it
    says so and, in files that do not, where a line has bytes that no text has, as the time of a record does.
    """
    raw = np.frombuffer(data, np.uint8)
    end = _header_end(raw, *(np.frombuffer(line, np.uint8) for line in _ENDS))
    return raw[:end].tobytes()


def header_on_disk(size: int, read: Callable[[int, int], np.ndarray]) -> bytes:
    """As `header_of` a file of that many bytes, of which `read` gives those from one place to another."""
    known = min(size, FIRST_BYTES)
    while True:
        data = read(0, known).tobytes()
        header = header_of(data)
        after = data[len(header) :]
        if known == size or (after and (after[:1] != b"#" or b"\n" in after)):
            return header
        known = min(size, 4 * known)


@njit(cache=True, nogil=True)
def _header_end(data, said, also_said):  # type: ignore[no-untyped-def]
    at, lines, length, first_has_return = 0, 0, data.shape[0], False
    while at < length and data[at] == _HASH:
        end, returns, text = at, 0, True
        while end < length and data[end] != _LF:
            byte = data[end]
            if byte == _CR:
                returns += 1
            else:
                text &= returns == 0 and (byte >= _SPACE or byte == _TAB) and byte != _DELETE
                returns = 0
            end += 1
        if end == length:
            return at
        if lines == 0:
            first_has_return = returns > 0
        elif not text or (end - returns - at < 3 and (returns > 0) != first_has_return):
            return at
        lines += 1
        if _begins(data, at, said) or _begins(data, at, also_said):
            return end + 1
        at = end + 1
    return at


@njit(cache=True, nogil=True)
def _begins(data, at, line):  # type: ignore[no-untyped-def]
    same, number = 0, line.shape[0]
    while same < number and at + same < data.shape[0] and data[at + same] == line[same]:
        same += 1
    return same == number


def lines_with(header: bytes, *words: bytes) -> list[bytes]:
    """The lines in which one of the words is, without their ends: searched for, as a header may have thousands of lines."""
    found: dict[int, bytes] = {}
    for word in words:
        at = header.find(word)
        while at >= 0:
            start, end = header.rfind(b"\n", 0, at) + 1, header.find(b"\n", at)
            found[start] = header[start:end].rstrip(b"\r")
            at = header.find(word, end)
    return [found[start] for start in sorted(found)]


class Chip(NamedTuple):
    """A chip as a header calls it, and which of CHIPS it is; "" where it is none of them. No name where none is given."""

    stated: str = ""
    known: str = ""

    @property
    def is_no_camera(self) -> bool:
        """Whether it is known to be another kind of sensor, or a processor."""
        return self.stated.upper().startswith(_NO_CAMERAS)


def chip_of(header: bytes) -> Chip:
    """The chip that a header names: of several, as after a filter, the first that is known."""
    lines = lines_with(header, b"AEChip:", b"Source")
    stated = [match[1].decode("ascii", "replace") for line in lines if (match := _CHIP.match(line))]
    for name in stated:
        for alias, chip in [*((chip, chip) for chip in CHIPS), *_ALIASES.items()]:
            if name.upper().startswith(alias):
                return Chip(name, chip)
    return Chip(stated[0] if stated else "")
