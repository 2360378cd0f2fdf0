"""AEDAT 2.0 of jAER (`.aedat`): DVS128, DAVIS240 and DAVIS346; CIFAR10-DVS.

After header lines of `#`, records of 8 bytes, big-endian: a 32-bit address and a 32-bit time in microseconds.

========= =============================================================================================
camera    address
========= =============================================================================================
DVS128    bit 0 polarity (0 is ON), bits 1 to 7 x, 8 to 14 y; bit 15 marks a synchronisation signal
DAVIS     bit 11 polarity (1 is ON), bits 12 to 21 x, 22 to 30 y; bit 10 marks an external signal,
          bit 31 a word of frames or the inertial unit
========= =============================================================================================

The chips count x from the right and y from the bottom (jAER's event extractors). iniVation, "AEDAT file formats".
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from eventbench.errors import BadRecording, BadSpec
from eventbench.events import Events
from eventbench.sources._aedat_header import CHIPS, chip_of, header_lines
from eventbench.sources._times import SORTABLE, sorted_by_time, unwrapped
from eventbench.sources.base import Documentation, RawColumns, Source, checked_events

RECORD_BYTES = 8


class Word(NamedTuple):
    """Where in an address x, y and the polarity lie, which bits mark a word that is no event, which polarity is ON."""

    no_event: int
    x_shift: int
    x_mask: int
    y_shift: int
    y_mask: int
    p_shift: int
    on: int

    def columns(self, address: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, y and polarity bit as stored, uint32 (events,)."""
        x, y = address >> self.x_shift & self.x_mask, address >> self.y_shift & self.y_mask
        return x, y, address >> self.p_shift & 1


DVS128 = Word(0x8000, 1, 0x7F, 8, 0x7F, 0, on=0)
DAVIS = Word(0x80000400, 12, 0x3FF, 22, 0x1FF, 11, on=1)


class Aedat2(Source, frozen=True, forbid_unknown_fields=True):
    """Decoder of AEDAT 2.0; words that are no events of the camera are left out.

    Parameters
    ----------
    camera : "DVS128", "DAVIS240" or "DAVIS346"; "" takes it from the header or, where that names none and every
        address has 16 bits, DVS128
    as_stored : x, y and polarity bit as the words have them; else x from the left, y
        from the top, 1 for ON
    sort : sort events whose times step back (stable) instead of refusing them

    Times are unsigned: what jAER writes as negative numbers is over 2**31 us. A step back of more than 2**31 us is a
    clock that wrapped at 2**32.
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="AEDAT 2.0 of jAER (DVS128, DAVIS240, DAVIS346): CIFAR10-DVS, SL-Animals-DVS, DailyAction-DVS",
        recognised="the line `#!AER-DAT2.`",
        sensor="the camera the header names, or `camera`; else DVS128 where every address has 16 bits",
        unit="us",
        polarity="DVS128: bit 0, 0 is ON; DAVIS: bit 11, 1 is ON; out comes 1 for ON",
        traps=(
            "x counts from the right and y from the bottom in the file: both are turned, unless `as_stored`. "
            "Words of frames, of the inertial unit and of external signals are left out. Times over 2^31 us "
            "that jAER writes as negative are taken as unsigned, a wrap at 2^32 is undone. A cochlea is "
            "refused by name."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".aedat", ".dat2")
    magics: ClassVar[tuple[bytes, ...]] = (b"#!AER-DAT2.", b"#!AER-DAT1.")

    camera: str = ""
    as_stored: bool = False
    sort: bool = False

    def __post_init__(self) -> None:
        if self.camera and self.camera not in CHIPS:
            raise BadSpec(f"camera is {self.camera!r}", where="aedat2", allowed=", ".join(CHIPS))

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in `data`, on the camera's own sensor where none is given."""
        if data.startswith(b"#!AER-DAT1."):
            raise BadRecording(
                "AEDAT 1.0, with records of 6 bytes", where=name, allowed="AEDAT 2.0, 3.1 and 4.0"
            )
        lines, start = header_lines(data)
        records, rest = divmod(len(data) - start, RECORD_BYTES)
        if rest:
            raise BadRecording(
                f"truncated: {records:,} records and {rest} bytes more after the header of {start:,} bytes",
                where=name,
                allowed=f"records of {RECORD_BYTES} bytes",
                fix="fetch the file again",
            )
        address, clock = _words(data, start)
        camera = self.camera or chip_of(lines, name) or _camera_of(address, name)
        own = CHIPS[camera]
        if camera == "DVS128" and (address > 0xFFFF).any():
            at = int(np.argmax(address > 0xFFFF))
            raise BadRecording(
                f"record {at:,} has an address of more than 16 bits",
                where=name,
                allowed="those of a DVS128",
            )
        word = _word_of(camera)
        events = address & word.no_event == 0
        x, y, p = word.columns(address[events])
        if not self.as_stored:
            x, y = own[0] - 1 - x.astype(np.int64), own[1] - 1 - y.astype(np.int64)
            p = (p == word.on).astype(np.uint8)
        t, _ = unwrapped(clock[events])
        columns = sorted_by_time(t, x, y, p) if self.sort else (t, x, y, p)
        return checked_events(*columns, sensor=sensor or own, name=name, fixes=SORTABLE)

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns as stored; of a DVS128 where the header names no camera."""
        lines, start = header_lines(data)
        address, clock = _words(data, start)
        camera = self.camera or chip_of(lines, "") or "DVS128"
        word = _word_of(camera)
        events = address & word.no_event == 0
        t, wraps = unwrapped(clock[events])
        x, y, p = word.columns(address[events])
        other_words = int(len(events) - events.sum())
        return RawColumns(
            t, x, y, p, size=CHIPS[camera], wraps=wraps, clock_us=2**32, other_words=other_words
        )

    def states_sensor(self, data: bytes) -> bool:  # noqa: ARG002  # whatever is in it
        """Always: a camera has one size."""
        return True

    def polarity_convention(self, raw: RawColumns | None) -> str:
        """One bit, of which a DVS128's means the opposite of a DAVIS'."""
        on = 0 if raw is not None and raw.size == CHIPS["DVS128"] else 1
        return f"one bit, {on} is ON"


def _words(data: bytes, start: int) -> tuple[np.ndarray, np.ndarray]:
    """uint32 (records,) addresses and times of the whole records."""
    records = (len(data) - start) // RECORD_BYTES
    words = np.frombuffer(data, ">u4", 2 * records, start).reshape(-1, 2).astype(np.uint32)
    return words[:, 0], words[:, 1]


def _word_of(camera: str) -> Word:
    return DVS128 if camera == "DVS128" else DAVIS


def _camera_of(address: np.ndarray, name: str) -> str:
    if (address <= 0xFFFF).all():
        return "DVS128"
    raise BadRecording(
        "the header names no chip, and addresses are of more than 16 bits",
        where=name,
        allowed=", ".join(CHIPS),
        fix='set camera = "..." in [source]',
    )
