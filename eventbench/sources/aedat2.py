"""AEDAT 2.0 of jAER (`.aedat`): the DVS128 and the DAVIS of 128 to 640 columns; CIFAR10-DVS.

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

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from eventbench.errors import BadRecording, BadSpec
from eventbench.events.memory import columns
from eventbench.files.progress import Progress, no_progress
from eventbench.sources._aedat.aedat2_camera import (
    STRAY,
    Records,
    camera_of,
    of_no_dvs128,
    refuse_other_camera,
    undisputed,
    word_of,
)
from eventbench.sources._aedat.aedat2_kernels import RECORD_BYTES, decode_records
from eventbench.sources._aedat.header import CHIPS, chip_of, header_of, header_on_disk
from eventbench.sources._aedat.sound import fits, sound
from eventbench.sources._aedat.stretches import File, Stretches, opened, whole_file, within
from eventbench.sources._decoded import Columns, counted
from eventbench.sources._times import Clock, unwrapped, unwrapped_after
from eventbench.sources.base import (
    PIECE_EVENTS,
    Decoded,
    Documentation,
    Note,
    Piece,
    RawColumns,
    Scan,
    Source,
    how_to_set,
)

MOST_SIGNED = 2**15 - 1  # columns of 16 bits have negative numbers above it


class Aedat2(Source, frozen=True, forbid_unknown_fields=True):
    """Decoder of AEDAT 2.0; words that are no events of the camera are left out.

    Parameters
    ----------
    camera : "DVS128", "DAVIS240", "DAVIS346" or another of CHIPS; "" takes it from the header or, where that names none,
        the one that has the size of the sensor that is given, or DVS128 where every address has 16 bits
    as_stored : x, y and polarity bit as the words have them; else x from the left, y
        from the top, 1 for ON
    marked : "drop" or "keep" events of pixels that bit 10 marks as special, as v2e marks noise when it labels it

    Times are unsigned: what jAER writes as negative numbers is over 2**31 us. A step back of more than 2**31 us is a
    clock that wrapped at 2**32; any other is refused unless `sort`.
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="AEDAT 2.0 of jAER (DVS128, DAVIS of 128 to 640 columns): CIFAR10-DVS, SL-Animals-DVS, DailyAction-DVS",
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
    marked: Literal["drop", "keep"] = "drop"

    def __post_init__(self) -> None:
        if self.camera and self.camera not in CHIPS:
            raise BadSpec(f"camera is {self.camera!r}", where="aedat2", allowed=", ".join(CHIPS))

    def decode_counted(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Decoded:
        """The events in `data`, on the camera's own sensor where none is given."""
        return self._decoded(np.frombuffer(data, np.uint8), name, sensor)

    def read_counted(self, recording: Path | str, sensor: tuple[int, int] | None = None) -> Decoded:
        """As `decode_counted`, of a file."""
        return self._decoded(whole_file(Path(recording)), str(recording), sensor)

    def _decoded(self, data: np.ndarray, name: str, sensor: tuple[int, int] | None) -> Decoded:
        if data[:11].tobytes() == b"#!AER-DAT1.":
            raise BadRecording(
                "AEDAT 1.0, with records of 6 bytes", where=name, allowed="AEDAT 2.0, 3.1 and 4.0"
            )
        header = header_of(data)
        records = (len(data) - len(header)) // RECORD_BYTES
        notes = self._cut(len(header), len(data), name)
        raw, chip = data, chip_of(header)
        camera = self.camera or camera_of(chip, Records(raw, len(header)), sensor, name)
        own, word = CHIPS[camera], word_of(camera)
        t, x, y, p = columns(records)
        n, marked, *highest, back, wraps, bits = decode_records(
            raw, len(header), tuple(word), own, not self.as_stored, self.marked == "keep", t, x, y, p
        )
        if camera == "DVS128" and bits > 0xFFFF:
            raise of_no_dvs128(Records(raw, len(header)), chip, name)
        t, x, y, p = t[:n], x[:n], y[:n], p[:n]
        notes += self._marked(marked)
        size = sensor or own
        if not back and fits(highest, own) and fits(highest, size):
            return sound((t, x, y, p), size, notes)
        turned_x, turned_y = own[0] - 1 - x.view(np.int16), own[1] - 1 - y.view(np.int16)
        stored_x, stored_y = (x, y) if self.as_stored else (turned_x, turned_y)
        refuse_other_camera(stored_x, stored_y, camera, name)
        if max(highest) > MOST_SIGNED:
            x, y = x.view(np.int16), y.view(np.int16)
        return self.checked((unwrapped(t)[0] if wraps else t, x, y, p), sensor=size, name=name, notes=notes)

    def scan(
        self, path: Path, sensor: tuple[int, int] | None = None, progress: Progress = no_progress
    ) -> Scan | None:
        """PIECE_EVENTS records a piece, each with the clock before it; None for a file that is refused when it is read."""
        with opened(path) as file:
            header = header_on_disk(file.size, file.read)
            if not header.startswith(b"#!AER-DAT2."):
                return None
            stop = file.size - (file.size - len(header)) % RECORD_BYTES
            size = RECORD_BYTES * PIECE_EVENTS
            blocks = [(at, min(at + size, stop)) for at in range(len(header), stop, size)]
            camera = self.camera or undisputed(
                chip_of(header),
                lambda: all(Records(file.read(*block), 0).short() for block in blocks),
                sensor,
            )
            if not camera or (stop < file.size and not self.salvage):
                return None
            own, clock, marked, events, off, bits = CHIPS[camera], Clock(), 0, 0, 0, 0
            stretches = Stretches(sensor or own, self.outside, sort=self.sort)
            for block in progress(blocks, of=file.name, unit="block", total=len(blocks)):
                found = self._block(file, block, camera, clock)
                state = (*map(int, clock), list(CHIPS).index(camera))
                stretches.take(found.columns, found.highest, found.in_order, block, state)
                clock, marked, bits = found.clock, marked + found.marked, bits | found.bits
                events, off = events + len(found.columns[0]), off + found.off(own)
                if not stretches.fine:
                    return None
            if (camera == "DVS128" and bits > 0xFFFF) or off > max(1, STRAY * events):
                return None
            return stretches.scan([*self._cut(len(header), file.size, file.name), *self._marked(marked)])

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:
        """The events of the records of a piece."""
        wraps, last, ahead, camera = piece.state
        with opened(path) as file:
            block = (piece.start, piece.stop)
            found = self._block(file, block, list(CHIPS)[camera], Clock(wraps, last, bool(ahead)))
        return within(found.columns, scan.sensor)

    def _block(self, file: File, block: tuple[int, int], camera: str, clock: Clock) -> _Block:
        """The events of some records, the times of which go on from a clock."""
        raw = file.read(*block)
        t, x, y, p = columns(len(raw) // RECORD_BYTES)
        turned, keep = not self.as_stored, self.marked == "keep"
        n, marked, high_x, high_y, back, _, bits = decode_records(
            raw, 0, tuple(word_of(camera)), CHIPS[camera], turned, keep, t, x, y, p
        )
        t, after = unwrapped_after(t[:n], clock)
        x, y = x[:n], y[:n]
        if max(high_x, high_y) > MOST_SIGNED:
            x, y = x.view(np.int16), y.view(np.int16)
        return _Block((t, x, y, p[:n]), (int(high_x), int(high_y)), back == 0, after, int(marked), int(bits))

    def _cut(self, start: int, size: int, name: str) -> list[Note]:
        """A note on the bytes after the last whole record, where there are any. Raises BadRecording unless `salvage`."""
        records, rest = divmod(size - start, RECORD_BYTES)
        if not rest:
            return []
        what = f"{records:,} records and {rest} bytes more after the header of {start:,} bytes"
        return [self.cut_off(what, name, f"records of {RECORD_BYTES} bytes")]

    def _marked(self, marked: int) -> list[Note]:
        if not marked or self.marked == "keep":
            return []
        what = f"{counted(marked, 'event')} marked as special, as v2e marks noise: left out"
        return [Note("marked", what, int(marked), f"to have them as well, {how_to_set('marked', 'keep')}")]

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns as stored; of a DVS128 where the header names no camera."""
        header = header_of(data)
        records = Records(np.frombuffer(data, np.uint8), len(header))
        return self._raw(records, header, Clock())[0]

    def raw_pieces(self, path: Path) -> Iterator[RawColumns]:
        """The same, PIECE_EVENTS records at a time."""
        with opened(path) as file:
            header, clock = header_on_disk(file.size, file.read), Clock()
            size = RECORD_BYTES * PIECE_EVENTS
            for at in range(len(header), file.size, size):
                block = file.read(at, min(at + size, file.size))
                raw, clock = self._raw(Records(block, 0), header, clock)
                yield raw

    def _raw(self, records: Records, header: bytes, clock: Clock) -> tuple[RawColumns, Clock]:
        """The columns of some records, the times of which go on from a clock, and the clock after them."""
        camera = self.camera or chip_of(header).known or "DVS128"
        word = word_of(camera)
        events = records.address & word.no_event == 0
        t, after = unwrapped_after(records.clock[events], clock)
        x, y, p = word.columns(records.address[events])
        wraps, others = after.wraps - clock.wraps, int(len(events) - events.sum())
        raw = RawColumns(t, x, y, p, size=CHIPS[camera], wraps=wraps, clock_us=2**32, other_words=others)
        return raw, after

    def states_sensor(self, data: bytes) -> bool:  # noqa: ARG002  # whatever is in it
        """Always: a camera has one size."""
        return True

    def polarity_convention(self, raw: RawColumns | None) -> str:
        """One bit, of which a DVS128's means the opposite of a DAVIS'."""
        on = 0 if raw is not None and raw.size == CHIPS["DVS128"] else 1
        return f"one bit, {on} is ON"


class _Block(NamedTuple):
    """Events of some records, what is known of them, and the clock after them."""

    columns: Columns
    highest: tuple[int, int]
    in_order: bool
    clock: Clock
    marked: int
    bits: int

    def off(self, own: tuple[int, int]) -> int:
        """How many lie off the camera's own sensor."""
        if fits(self.highest, own):
            return 0
        _, x, y, _ = self.columns
        return int(((x.view(np.uint16) >= own[0]) | (y.view(np.uint16) >= own[1])).sum())
