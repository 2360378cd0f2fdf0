"""AEDAT 3.1 of cAER (`.aedat`): DVS128 Gesture.

After header lines up to `#!END-HEADER`, packets: a head of 28 bytes (little-endian: int16 type and source, int32 size
of an event, offset of its time, time overflow, capacity, number, valid) and its events. Packets of type 1 hold polarity
events: a word (bit 0 valid, bit 1 polarity, bits 2 to 16 y, 17 to 31 x) and an int32 time in microseconds, to which
the overflow adds 2**31 each. iniVation, "AEDAT file formats".
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import ClassVar

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events.memory import columns
from eventbench.files.progress import Progress, no_progress
from eventbench.sources._aedat.aedat31_kernels import HEAD_BYTES, POLARITY, SIZES, fill, measure
from eventbench.sources._aedat.header import (
    CHIPS,
    Chip,
    chip_of,
    header_of,
    header_on_disk,
    lines_with,
)
from eventbench.sources._aedat.sound import fits, sound
from eventbench.sources._aedat.stretches import File, Stretches, opened, whole_file, within
from eventbench.sources._decoded import Columns, counted
from eventbench.sources.base import (
    ONE_BIT,
    PIECE_EVENTS,
    Decoded,
    Documentation,
    Note,
    Piece,
    RawColumns,
    Scan,
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
        return self._decoded(np.frombuffer(data, np.uint8), name, sensor)

    def read_counted(self, recording: Path | str, sensor: tuple[int, int] | None = None) -> Decoded:
        """As `decode_counted`, of a file."""
        return self._decoded(whole_file(Path(recording)), str(recording), sensor)

    def _decoded(self, data: np.ndarray, name: str, sensor: tuple[int, int] | None) -> Decoded:
        header = header_of(data)
        _check_header(header or data[:12].tobytes(), name)
        start, raw = len(header), data
        most, at, wrong, others = measure(raw, start)
        if wrong == SIZES:
            damage = f"the sizes in the head of the packet at byte {at:,} make no sense"
            raise BadRecording(damage, where=name, fix="fetch the file again")
        notes = self._cut(at, len(data), name) if wrong else []
        if wrong:
            raw, added = _before_the_cut(raw, at)
            most += added
        chip = chip_of(header)
        if chip.is_no_camera and not most:
            what = f"the header names the source {chip.stated}, which is no event camera"
            raise BadRecording(what, where=name, allowed=", ".join(CHIPS))
        t, x, y, p = columns(most)
        n, high_x, high_y, back = fill(raw, start, t, x, y, p)
        t, x, y, p = t[:n], x[:n], y[:n], p[:n]
        own, unknown = _own_sensor(chip, sensor)
        size = sensor or own or smallest_sensor(x, y, name)
        notes += [*unknown, *_other_packets(others)]
        if not back and fits((high_x, high_y), size):
            return sound((t, x, y, p), size, notes)
        return self.checked((t, x, y, p), sensor=size, name=name, notes=notes)

    def scan(
        self, path: Path, sensor: tuple[int, int] | None = None, progress: Progress = no_progress
    ) -> Scan | None:
        """Whole packets of about PIECE_EVENTS events a piece; None for a file that is refused when it is read."""
        try:
            with opened(path) as file:
                header = header_on_disk(file.size, file.read)
                _check_header(header, file.name)
                own, notes = _own_sensor(chip_of(header), sensor)
                stretches = Stretches(sensor or own, self.outside, sort=self.sort)
                places, cut, others = _stretches_of(file, len(header))
                notes = [*notes, *_other_packets(others)]
                if cut:
                    notes = [*self._cut(cut, file.size, file.name), *notes]
                for place in progress(places, of=file.name, unit="stretch", total=len(places)):
                    (t, x, y, p), highest, in_order = _events(file.read(*place))
                    stretches.take((t, x, y, p), highest, in_order, place)
                    if not stretches.fine:
                        return None
                no_camera = chip_of(header).is_no_camera and not stretches.events
                return None if no_camera else stretches.scan(notes)
        except BadRecording:
            return None  # reading it whole says why, with the place in the file

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:
        """The events of the packets of a piece."""
        with opened(path) as file:
            return within(_events(file.read(piece.start, piece.stop))[0], scan.sensor)

    def _cut(self, at: int, size: int, name: str) -> list[Note]:
        what = f"the packet at byte {at:,} goes beyond the end of the file ({size:,} bytes)"
        return [self.cut_off(what, name)]

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


def _own_sensor(chip: Chip, given: tuple[int, int] | None) -> tuple[tuple[int, int] | None, list[Note]]:
    """The sensor that the source of a header has, None where that is not known; a note where that leaves a question."""
    own = CHIPS.get(chip.known)
    if given or own or not chip.stated:
        return own, []
    what = (
        f"the sensor of the source {chip.stated} is not known: the smallest that holds every event is taken"
    )
    return None, [Note("header", what, fix="give the true size: --sensor WxH, or sensor=(width, height)")]


def _check_header(header: bytes, name: str) -> None:
    """Raises BadRecording where a header is of another version, has no end or names packed packets."""
    if not header.startswith(b"#!AER-DAT3.1"):
        raise BadRecording(
            f"of version {header[9:12].decode('ascii', 'replace')!r}; in AEDAT 3.0 y counts from the bottom",
            where=name,
            allowed="AEDAT 2.0, 3.1 and 4.0",
            fix="convert it with jAER or cAER",
        )
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


def _other_packets(number: int) -> list[Note]:
    if not number:
        return []
    what = f"{counted(number, 'packet')} of other types (special events, frames, inertial samples): left out"
    return [Note("other_packets", what, int(number))]


def _stretches_of(file: File, start: int) -> tuple[list[tuple[int, int]], int, int]:
    """Where stretches of about PIECE_EVENTS events begin and end, the packet that is cut off, 0 where none is, and how many
    packets are of other types.

    Raises BadRecording where the sizes in a packet's head make no sense.
    """
    places, at, events, others, first = [], start, 0, 0, start
    while at < file.size:
        head = file.read(at, min(at + HEAD_BYTES, file.size))
        if measure(head, 0)[2] == SIZES:
            raise BadRecording("the sizes in the head of a packet make no sense", where=file.name)
        kind, _, size, _, _, _, listed, _ = (
            struct.unpack("<hhiiiiii", head.tobytes()) if len(head) == HEAD_BYTES else (0,) * 8
        )
        stop = at + HEAD_BYTES + size * listed
        if len(head) < HEAD_BYTES or stop > file.size:
            whole = HEAD_BYTES + (file.size - at - HEAD_BYTES) // size * size if kind == POLARITY else 0
            places.append((first, at + whole))
            return [place for place in places if place[0] < place[1]], at, others
        at, events = stop, events + (listed if kind == POLARITY else 0)
        others += kind != POLARITY
        if events >= PIECE_EVENTS or at == file.size:
            places.append((first, at))
            first, events = at, 0
    return places, 0, others


def _events(raw: np.ndarray) -> tuple[Columns, tuple[int, int], bool]:
    """Columns of the events in packets, of which the last may be cut off; the highest x and y; whether they are in order."""
    most, at, wrong, _ = measure(raw, 0)
    if wrong:
        raw, added = _before_the_cut(raw, at)
        raw.flags.writeable, most = False, most + added
    t, x, y, p = columns(most)
    n, high_x, high_y, back = fill(raw, 0, t, x, y, p)
    return (t[:n], x[:n], y[:n], p[:n]), (int(high_x), int(high_y)), back == 0
