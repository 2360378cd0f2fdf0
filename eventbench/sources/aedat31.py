"""AEDAT 3.1 of cAER (`.aedat`): DVS128 Gesture.

After header lines up to `#!END-HEADER`, packets: a head of 28 bytes (little-endian: int16 type and source, int32 size
of an event, offset of its time, time overflow, capacity, number, valid) and its events. Packets of type 1 hold polarity
events: a word (bit 0 valid, bit 1 polarity, bits 2 to 16 y, 17 to 31 x) and an int32 time in microseconds, to which
the overflow adds 2**31 each. iniVation, "AEDAT file formats".
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.errors import BadRecording
from eventbench.sources._aedat.header import CHIPS, Chip, chip_of, header_lines
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

HEAD_BYTES = 28
POLARITY = 1
TRUNCATED, SIZES = 1, 2
BLOCK = 512  # events, which stay in the L1 cache
LOW = np.uint64(0xFFFFFFFF)


@njit(cache=True, nogil=True)
def _int32(data, at):  # type: ignore[no-untyped-def]
    return np.int64(
        np.int32(
            np.uint32(data[at])
            | np.uint32(data[at + 1]) << np.uint32(8)
            | np.uint32(data[at + 2]) << np.uint32(16)
            | np.uint32(data[at + 3]) << np.uint32(24)
        )
    )


@njit(cache=True, nogil=True)
def _measure(data, at):  # type: ignore[no-untyped-def]
    """(most events there can be, offset of the first packet that is wrong, what is wrong: 0 nothing)."""
    events, end = 0, data.shape[0]
    while at < end:
        if end - at < HEAD_BYTES:
            return events, at, TRUNCATED
        kind = np.int64(data[at]) | np.int64(data[at + 1]) << 8
        size, offset, number = _int32(data, at + 4), _int32(data, at + 8), _int32(data, at + 20)
        if size < 0 or number < 0 or (kind == POLARITY and (size < 8 or offset < 4 or offset > size - 4)):
            return events, at, SIZES
        if size * number > end - at - HEAD_BYTES:
            return events, at, TRUNCATED
        if kind == POLARITY:
            events += number
        at += np.int64(HEAD_BYTES + size * number)
    return events, at, 0


@njit(cache=True, nogil=True)
def _fill(data, at, t, x, y, p):  # type: ignore[no-untyped-def]
    """Decode what `_measure` found sound; the number of valid events."""
    block = np.empty(BLOCK, np.uint64)
    as_bytes, n = block.view(np.uint8), 0
    while at < data.shape[0]:
        kind = np.int64(data[at]) | np.int64(data[at + 1]) << 8
        size, offset, number = _int32(data, at + 4), _int32(data, at + 8), _int32(data, at + 20)
        overflow = _int32(data, at + 12) << 31
        at += HEAD_BYTES
        if kind == POLARITY and size == 8 and offset == 4:
            for first in range(0, number, BLOCK):
                m = min(BLOCK, number - first)
                _copy(data[at + 8 * first : at + 8 * (first + m)], as_bytes)
                n += _block(block[:m], overflow, t[n : n + m], x[n : n + m], y[n : n + m], p[n : n + m])
        elif kind == POLARITY:
            for i in range(number):
                word = np.uint64(_int32(data, at + i * size)) & LOW
                block[0] = word | np.uint64(_int32(data, at + i * size + offset)) << np.uint64(32)
                n += _block(block[:1], overflow, t[n : n + 1], x[n : n + 1], y[n : n + 1], p[n : n + 1])
        at += size * number  # type: ignore[assignment]
    return n


@njit(cache=True, nogil=True)
def _copy(data, block):  # type: ignore[no-untyped-def]
    for i in range(data.shape[0]):
        block[i] = data[i]


@njit(cache=True, nogil=True)
def _block(block, overflow, t, x, y, p):  # type: ignore[no-untyped-def]
    """Decode words of which the lower half is the event and the upper its time; how many are valid."""
    valid = np.uint64(1)
    for i in range(block.shape[0]):
        valid &= block[i]
    if valid:
        for i in range(block.shape[0]):
            t[i] = overflow + (np.int64(block[i]) >> 32)
        for i in range(block.shape[0]):
            x[i] = block[i] >> np.uint64(17) & np.uint64(0x7FFF)
        for i in range(block.shape[0]):
            y[i] = block[i] >> np.uint64(2) & np.uint64(0x7FFF)
        for i in range(block.shape[0]):
            p[i] = block[i] >> np.uint64(1) & np.uint64(1)
        return block.shape[0]
    n = 0
    for word in block:
        if word & np.uint64(1):
            t[n] = overflow + (np.int64(word) >> 32)
            x[n], y[n] = word >> np.uint64(17) & np.uint64(0x7FFF), word >> np.uint64(2) & np.uint64(0x7FFF)
            p[n] = word >> np.uint64(1) & np.uint64(1)
            n += 1
    return n


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
        lines, start = header_lines(data)
        if not lines or not lines[-1].startswith(b"#!END-HEADER"):
            raise BadRecording(
                "the header has no end", where=name, allowed="a line #!END-HEADER", fix="fetch the file again"
            )
        packed = [line for line in lines if line.startswith(b"#Format:") and b"RAW" not in line.upper()]
        if packed:
            raise BadRecording(
                f"its packets are packed: {packed[0][:60].decode('ascii', 'replace')}",
                where=name,
                allowed="#Format: RAW",
            )
        raw = np.frombuffer(data, np.uint8)
        most, at, wrong = _measure(raw, start)
        if wrong == SIZES:
            damage = f"the sizes in the head of the packet at byte {at:,} make no sense"
            raise BadRecording(damage, where=name, fix="fetch the file again")
        notes: list[Note] = []
        if wrong:
            what = f"the packet at byte {at:,} goes beyond the end of the file ({len(data):,} bytes)"
            notes = [self.cut_off(what, name)]
            raw, added = _before_the_cut(raw, at)
            most += added
        chip = chip_of(lines)
        if chip.is_no_camera and not most:
            what = f"the header names the source {chip.stated}, which is no event camera"
            raise BadRecording(what, where=name, allowed=", ".join(CHIPS))
        t, x, y, p = columns(most)
        n = _fill(raw, start, t, x, y, p)
        t, x, y, p = t[:n], x[:n], y[:n], p[:n]
        own = CHIPS.get(chip.known)
        if sensor is None and own is None and chip.stated:
            notes.append(_unknown(chip))
        size = sensor or own or smallest_sensor(x, y, name)
        return self.checked((t, x, y, p), sensor=size, name=name, notes=notes)

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT


def _before_the_cut(raw: np.ndarray, at: int) -> tuple[np.ndarray, int]:
    """The bytes of the whole events, where the packet at `at` is cut off; and how many events of that packet they have."""
    if len(raw) - at < HEAD_BYTES or (raw[at], raw[at + 1]) != (POLARITY, 0):
        return raw[:at], 0
    whole = (len(raw) - at - HEAD_BYTES) // int(_int32(raw, at + 4))
    kept = raw[: at + HEAD_BYTES + whole * int(_int32(raw, at + 4))].copy()
    kept[at + 20 : at + 24] = np.frombuffer(np.int32(whole).tobytes(), np.uint8)
    return kept, whole


def _unknown(chip: Chip) -> Note:
    what = (
        f"the sensor of the source {chip.stated} is not known: the smallest that holds every event is taken"
    )
    return Note("header", what, fix="give the true size: --sensor WxH, or sensor=(width, height)")
