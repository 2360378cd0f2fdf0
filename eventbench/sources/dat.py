"""Prophesee DAT (`.dat`), versions 1 and 2, event types 0 (2D) and 12 (CD): N-CARS.

Header lines of `%` (with `% end` only from newer software), two bytes (event type, size of an event), then events of 8 bytes,
little-endian: uint32 time in microseconds and a uint32 word, laid out as the header's `% Version` says, whatever the event type:

========= ============================================================
version   word
========= ============================================================
1         bits 0 to 8 x, 9 to 16 y, 17 polarity (the ATIS, 304 x 240)
2         bits 0 to 13 x, 14 to 27 y, 28 to 31 polarity
========= ============================================================

Prophesee, "DAT file format", and its readers: `load_atis_data.m` takes the masks by version, a header without one being
older than 2; `dat_events_tools.py` of the automotive dataset toolbox writes version 2 with event type 0. N-CARS (Sironi et al.
2018) is of that kind, without width and height (command_line_tools of neuromorphic-paris, pull request 45: read as
version 1 it gives wrong events; the toolbox's issue 21). faery decides by version as well.
"""

from __future__ import annotations

import re
from typing import ClassVar

import numpy as np

from eventbench.errors import BadRecording, BadSpec
from eventbench.sources._percent_header import Header, percent_header
from eventbench.sources._times import unwrapped
from eventbench.sources.base import Decoded, Documentation, RawColumns, Source, how_to_set, smallest_sensor

EVENT_BYTES = 8
EVENT_TYPES = (0, 12)
# Version -> (mask of x, shift and mask of y, shift and mask of polarity).
FIELDS = {1: (0x1FF, 9, 0xFF, 17, 0x1), 2: (0x3FFF, 14, 0x3FFF, 28, 0xF)}
BITS_OF_VERSION_1 = 18
_TRIGGERS = "these are external triggers, no events of the camera's pixels: those are in the file beside it, of a name in _td.dat"


class Dat(Source, frozen=True, forbid_unknown_fields=True):
    """Decoder of DAT. A step back of more than 2**31 us is the 32-bit clock that wrapped; any other is refused unless `sort`.

    `format_version` (1 or 2) is for a file whose header does not give one; 0 takes such a file for version 1, and refuses it
    where its words have bits that version 1 does not use. Where the header does not give the sensor's size, it is the
    smallest that holds every event.
    """

    version: ClassVar[int] = 2
    about: ClassVar[Documentation] = Documentation(
        what="Prophesee DAT, versions 1 and 2: N-CARS",
        recognised="the header (`% Data file containing`, `% Version`, `% Height`)",
        sensor="the header; else the smallest that holds every event",
        unit="us",
        polarity="1 is ON; one bit in version 1, four in version 2",
        traps=(
            "What a word means is said by the version and not by the event type: N-CARS has type 0 and "
            "version 2, and read as version 1 it gives wrong events without an error. The 32-bit clock may "
            "wrap."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".dat",)
    magics: ClassVar[tuple[bytes, ...]] = (b"% Data file containing", b"% Version ", b"% Height ")

    format_version: int = 0

    def __post_init__(self) -> None:
        if self.format_version not in (0, *FIELDS):
            raise BadSpec(f"format_version is {self.format_version!r}", where="dat", allowed="0, 1 or 2")

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether lines of `%` are followed by a known event type and the size of its events, and name no other encoding."""
        header = percent_header(data)
        lines = [line.lower() for line in header.lines]
        if any(line.startswith("data file containing") for line in lines):
            return True
        named = any(line.startswith(("evt ", "format ", "system_id ")) for line in lines)
        return bool(lines) and not named and _holds_events(data[header.end : header.end + 2])

    def decode_counted(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording for other versions and event types, and where the events are cut off."""
        header = percent_header(data)
        head = data[header.end : header.end + 2]
        if not header.lines or not _holds_events(head):
            raise BadRecording(
                f"after {len(header.lines)} header lines come the bytes {list(head)}",
                where=name,
                allowed="event type 0 or 12, then 8, the bytes of an event",
                fix=_TRIGGERS if head[:1] == b"\x0e" else "",
            )
        start = header.end + 2
        events, rest = divmod(len(data) - start, EVENT_BYTES)
        notes = []
        if rest:
            what = f"{events:,} events and {rest} bytes more"
            notes = [self.cut_off(what, name, f"events of {EVENT_BYTES} bytes")]
        words = np.frombuffer(data, "<u4", 2 * events, start).reshape(-1, 2)
        x, y, p = _columns(words[:, 1], self._version_of(header, words[:, 1], name))
        t, _ = unwrapped(words[:, 0])
        size = sensor or header.size() or smallest_sensor(x, y, name)
        return self.checked((t, x, y, p), sensor=size, name=name, notes=notes)

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns of the whole events, laid out as the header's version says."""
        header = percent_header(data)
        start = header.end + 2
        events = (len(data) - start) // EVENT_BYTES
        words = np.frombuffer(data, "<u4", 2 * events, start).reshape(-1, 2)
        x, y, p = _columns(words[:, 1], int(_stated_version(header) or self.format_version or 1))
        t, wraps = unwrapped(words[:, 0])
        return RawColumns(t, x, y, p, size=header.size(), wraps=wraps, clock_us=2**32)

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # 1 is ON in both versions
        """A field, wider than it has to be in version 2."""
        return "a field of 1 or 4 bits, 1 is ON"

    def _version_of(self, header: Header, word: np.ndarray, name: str) -> int:
        stated = _stated_version(header)
        if stated not in ("", *map(str, FIELDS)):
            raise BadRecording(f"version {stated[:20]} of the format", where=name, allowed="1 or 2")
        if stated or self.format_version:
            return int(stated or self.format_version)
        if (word >> BITS_OF_VERSION_1).any():
            at = int(np.argmax(word >> BITS_OF_VERSION_1 != 0))
            raise BadRecording(
                f"the header gives no version, and the word of event {at:,}, {int(word[at]):#010x}, is not of version 1",
                where=name,
                allowed="a header line '% Version 1' or '% Version 2'",
                fix=f"if it is of version 2, {how_to_set('format_version', 2)}",
            )
        return 1


_VERSION = re.compile(r"version\s+\S", re.IGNORECASE)


def _holds_events(head: bytes) -> bool:
    return len(head) == 2 and head[0] in EVENT_TYPES and head[1] == EVENT_BYTES


def _stated_version(header: Header) -> str:
    """The version as the header writes it; "" where it gives none."""
    return next((line.split()[1] for line in header.lines if _VERSION.match(line)), "")


def _columns(word: np.ndarray, version: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and polarity, uint32, of words (events,) laid out as `version` has them."""
    x_mask, y_shift, y_mask, p_shift, p_mask = FIELDS[version]
    return word & x_mask, word >> y_shift & y_mask, word >> p_shift & p_mask
