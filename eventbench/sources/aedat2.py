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

from typing import ClassVar

import numpy as np

from eventbench.errors import BadEvents, BadRecording, BadSpec
from eventbench.events import Events
from eventbench.sources._aedat_header import CHIPS, chip_of, header_lines
from eventbench.sources.base import Source

RECORD_BYTES = 8


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
        words = np.frombuffer(data, ">u4", 2 * records, start).reshape(-1, 2).astype(np.uint32)
        address, clock = words[:, 0], words[:, 1]
        camera = self.camera or chip_of(lines, name) or _camera_of(address, name)
        own = CHIPS[camera]
        if camera == "DVS128":
            if (address > 0xFFFF).any():
                at = int(np.argmax(address > 0xFFFF))
                raise BadRecording(
                    f"record {at:,} has an address of more than 16 bits",
                    where=name,
                    allowed="those of a DVS128",
                )
            ours = address & 0x8000 == 0
            shifts, on = (1, 0x7F, 8, 0x7F, 0), 0
        else:
            ours = address & 0x80000400 == 0
            shifts, on = (12, 0x3FF, 22, 0x1FF, 11), 1
        address = address[ours]
        x, y = (
            (address >> shifts[0] & shifts[1]).astype(np.int64),
            (address >> shifts[2] & shifts[3]).astype(np.int64),
        )
        p = (address >> shifts[4] & 1).astype(np.uint8)
        if not self.as_stored:
            x, y, p = own[0] - 1 - x, own[1] - 1 - y, (p == on).astype(np.uint8)
        t = _unwrapped(clock[ours])
        if self.sort and (np.diff(t) < 0).any():
            order = np.argsort(t, kind="stable")
            t, x, y, p = t[order], x[order], y[order], p[order]
        try:
            return Events(t=t, x=x, y=y, p=p, sensor=sensor or own)
        except BadEvents as error:
            hint = "; if the file is sound, set sort = true in [source]" if "backwards" in str(error) else ""
            raise BadRecording(f"{error}{hint}", where=name) from None


def _camera_of(address: np.ndarray, name: str) -> str:
    if (address <= 0xFFFF).all():
        return "DVS128"
    raise BadRecording(
        "the header names no chip, and addresses are of more than 16 bits",
        where=name,
        allowed=", ".join(CHIPS),
        fix='set camera = "..." in [source]',
    )


def _unwrapped(clock: np.ndarray) -> np.ndarray:
    """int64 times of a 32-bit clock that may have wrapped."""
    t = clock.astype(np.int64)
    if len(t) > 1:
        t[1:] += np.cumsum(np.diff(t) < -(2**31)) * 2**32
    return t
