"""AEDAT 3.1 of cAER (`.aedat`): DVS128 Gesture.

After header lines up to `#!END-HEADER`, packets: a head of 28 bytes (little-endian: int16 type and source, int32 size
of an event, offset of its time, time overflow, capacity, number, valid) and its events. Packets of type 1 hold polarity
events: a word (bit 0 valid, bit 1 polarity, bits 2 to 16 y, 17 to 31 x) and an int32 time in microseconds, to which
the overflow adds 2**31 each. iniVation, "AEDAT file formats".
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.errors import BadRecording
from eventbench.sources._aedat.aedat31_kernels import HEAD_BYTES, POLARITY, SIZES, fill, measure
from eventbench.sources._aedat.header import CHIPS, Chip, chip_of, header_of, lines_with
from eventbench.sources._aedat.sound import fits, sound
from eventbench.sources._memory import columns
from eventbench.sources.base import (
    ONE_BIT,
    Decoded,
    Documentation,
    Note,
    RawColumns,
    Source,
    smallest_sensor,
)


class Aedat31(Source, frozen=True, forbid_unknown_fields=True):
    """Decoder of AEDAT 3.1: polarity events; packets of every other type, and invalid events, are left out.

    The format describes itself, whatever the source is called. The sensor is the one that a source line of the header names,
    as in `#Source 1: DVS128`, where it is known, else the smallest that holds every event.
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="AEDAT 3.1 of cAER: DVS128 Gesture",
        recognised="the line `#!AER-DAT3.`",
        sensor="the header's source line (`#Source 1: DVS128`); else the smallest that holds every event",
        unit="us",
        polarity="bit 1, 1 is ON",
        traps=(
            "Only packets of type 1 are events, and of those only the valid ones. The time overflow of a "
            "packet adds 2^31 us each. Times that step back are refused unless `sort`: the recordings of "
            "DVS128 Gesture need it."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".aedat",)
    magics: ClassVar[tuple[bytes, ...]] = (b"#!AER-DAT3.",)

    def decode_counted(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording, with the offset, where a packet does not fit into the file."""
        if not data.startswith(b"#!AER-DAT3.1"):
            raise BadRecording(
                f"of version {data[9:12].decode('ascii', 'replace')!r}; in AEDAT 3.0 y counts from the bottom",
                where=name,
                allowed="AEDAT 2.0, 3.1 and 4.0",
                fix="convert it with jAER or cAER",
            )
        header = header_of(data)
        start = len(header)
        if not header[header.rfind(b"\n", 0, -1) + 1 :].startswith(b"#!END-HEADER"):
            raise BadRecording(
                "the header has no end", where=name, allowed="a line #!END-HEADER", fix="fetch the file again"
            )
        formats = [line for line in lines_with(header, b"#Format:") if line.startswith(b"#Format:")]
        packed = [line for line in formats if b"RAW" not in line.upper()]
        if packed:
            raise BadRecording(
                f"its packets are packed: {packed[0][:60].decode('ascii', 'replace')}",
                where=name,
                allowed="#Format: RAW",
            )
        raw = np.frombuffer(data, np.uint8)
        most, at, wrong = measure(raw, start)
        if wrong == SIZES:
            damage = f"the sizes in the head of the packet at byte {at:,} make no sense"
            raise BadRecording(damage, where=name, fix="fetch the file again")
        notes: list[Note] = []
        if wrong:
            what = f"the packet at byte {at:,} goes beyond the end of the file ({len(data):,} bytes)"
            notes = [self.cut_off(what, name)]
            raw, added = _before_the_cut(raw, at)
            most += added
        chip = chip_of(header)
        if chip.is_no_camera and not most:
            what = f"the header names the source {chip.stated}, which is no event camera"
            raise BadRecording(what, where=name, allowed=", ".join(CHIPS))
        t, x, y, p = columns(most)
        n, high_x, high_y, back = fill(raw, start, t, x, y, p)
        t, x, y, p = t[:n], x[:n], y[:n], p[:n]
        own = CHIPS.get(chip.known)
        if sensor is None and own is None and chip.stated:
            notes.append(_unknown(chip))
        size = sensor or own or smallest_sensor(x, y, name)
        if not back and fits((high_x, high_y), size):
            return sound((t, x, y, p), size, notes)
        return self.checked((t, x, y, p), sensor=size, name=name, notes=notes)

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT


def _before_the_cut(raw: np.ndarray, at: int) -> tuple[np.ndarray, int]:
    """The bytes of the whole events, where the packet at `at` is cut off; and how many events of that packet they have."""
    if len(raw) - at < HEAD_BYTES or (raw[at], raw[at + 1]) != (POLARITY, 0):
        return raw[:at], 0
    size = int.from_bytes(raw[at + 4 : at + 8].tobytes(), "little")
    whole = (len(raw) - at - HEAD_BYTES) // size
    kept = raw[: at + HEAD_BYTES + whole * size].copy()
    kept[at + 20 : at + 24] = np.frombuffer(np.int32(whole).tobytes(), np.uint8)
    return kept, whole


def _unknown(chip: Chip) -> Note:
    what = (
        f"the sensor of the source {chip.stated} is not known: the smallest that holds every event is taken"
    )
    return Note("header", what, fix="give the true size: --sensor WxH, or sensor=(width, height)")
