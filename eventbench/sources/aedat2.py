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

from typing import ClassVar, Literal, NamedTuple

import numpy as np

from eventbench.errors import BadRecording, BadSpec
from eventbench.sources._aedat.aedat2_kernels import MARK, RECORD_BYTES, address_bits, decode
from eventbench.sources._aedat.header import CHIPS, Chip, chip_of, header_of
from eventbench.sources._aedat.sound import fits, sound
from eventbench.sources._decoded import counted
from eventbench.sources._memory import columns
from eventbench.sources._times import unwrapped
from eventbench.sources.base import Decoded, Documentation, Note, RawColumns, Source, how_to_set

STRAY = 0.01  # the share of events off the sensor up to which they are strays, and above which it is another camera


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
DAVIS = Word(0x80000000 | MARK, 12, 0x3FF, 22, 0x1FF, 11, on=1)


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
        if data.startswith(b"#!AER-DAT1."):
            raise BadRecording(
                "AEDAT 1.0, with records of 6 bytes", where=name, allowed="AEDAT 2.0, 3.1 and 4.0"
            )
        header = header_of(data)
        records, rest = divmod(len(data) - len(header), RECORD_BYTES)
        notes: list[Note] = []
        if rest:
            what = f"{records:,} records and {rest} bytes more after the header of {len(header):,} bytes"
            notes = [self.cut_off(what, name, f"records of {RECORD_BYTES} bytes")]
        raw, chip = np.frombuffer(data, np.uint8), chip_of(header)
        camera = self.camera or _camera_of(chip, _Records(raw, len(header)), sensor, name)
        own, word = CHIPS[camera], _word_of(camera)
        t, x, y, p = columns(records)
        n, marked, *highest, back, wraps, bits = decode(
            raw, len(header), word, own, not self.as_stored, self.marked == "keep", t, x, y, p
        )
        if camera == "DVS128" and bits > 0xFFFF:
            raise _of_no_dvs128(_Records(raw, len(header)), chip, name)
        t, x, y, p = t[:n], x[:n], y[:n], p[:n]
        if marked and self.marked == "drop":
            what = f"{counted(marked, 'event')} marked as special, as v2e marks noise: left out"
            keep = f"to have them as well, {how_to_set('marked', 'keep')}"
            notes.append(Note("marked", what, int(marked), keep))
        size = sensor or own
        if not back and fits(highest, own) and fits(highest, size):
            return sound((t, x, y, p), size, notes)
        turned_x, turned_y = own[0] - 1 - x.view(np.int16), own[1] - 1 - y.view(np.int16)
        stored_x, stored_y = (x, y) if self.as_stored else (turned_x, turned_y)
        _refuse_other_camera(stored_x, stored_y, camera, name)
        if max(highest) > np.iinfo(np.int16).max:
            x, y = x.view(np.int16), y.view(np.int16)
        return self.checked((unwrapped(t)[0] if wraps else t, x, y, p), sensor=size, name=name, notes=notes)

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns as stored; of a DVS128 where the header names no camera."""
        header = header_of(data)
        records = _Records(np.frombuffer(data, np.uint8), len(header))
        camera = self.camera or chip_of(header).known or "DVS128"
        word = _word_of(camera)
        events = records.address & word.no_event == 0
        t, wraps = unwrapped(records.clock[events])
        x, y, p = word.columns(records.address[events])
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


class _Records(NamedTuple):
    """The whole records behind a header of `start` bytes: their words are only looked at where a header leaves questions."""

    raw: np.ndarray
    start: int

    @property
    def short(self) -> bool:
        """Whether every address has 16 bits at most."""
        return int(address_bits(self.raw, self.start, self.number)) <= 0xFFFF

    @property
    def address(self) -> np.ndarray:
        """uint32 (records,)."""
        return self._words[:, 0]

    @property
    def clock(self) -> np.ndarray:
        """uint32 (records,)."""
        return self._words[:, 1]

    @property
    def number(self) -> int:
        """How many there are."""
        return (len(self.raw) - self.start) // RECORD_BYTES

    @property
    def _words(self) -> np.ndarray:
        words = np.frombuffer(self.raw, ">u4", 2 * self.number, self.start)
        return words.reshape(-1, 2).astype(np.uint32)


def _word_of(camera: str) -> Word:
    return DVS128 if camera == "DVS128" else DAVIS


def _camera_of(chip: Chip, records: _Records, sensor: tuple[int, int] | None, name: str) -> str:
    """The camera, of CHIPS, that a header names or whose words these can only be. Raises BadRecording with what fits."""
    if chip.known:
        return chip.known
    if chip.is_no_camera:
        what = f"the header names the chip {chip.stated}, which is no event camera"
        raise BadRecording(what, where=name, allowed=", ".join(CHIPS))
    if not chip.stated:
        if records.short:
            return "DVS128"
        of_this_size = [camera for camera, size in CHIPS.items() if size == sensor and camera != "DVS128"]
        if of_this_size:
            return of_this_size[0]
    what = (
        f"the header names the chip {chip.stated}, which is no event camera known here"
        if chip.stated
        else "the header names no chip, and addresses are of more than 16 bits"
    )
    raise BadRecording(what, where=name, allowed=", ".join(CHIPS), fix=_fitting(records, chip))


def _of_no_dvs128(records: _Records, chip: Chip, name: str) -> BadRecording:
    at = int(np.argmax(records.address > 0xFFFF))
    what = f"record {at:,} has an address of more than 16 bits"
    return BadRecording(what, where=name, allowed="those of a DVS128", fix=_fitting(records, chip))


def _fitting(records: _Records, chip: Chip) -> str:
    """Advice: the smallest camera into which the words fit, as those of cameras of this kind are laid out."""
    address = records.address
    if records.short:
        camera = "DVS128"
    else:
        x, y, _ = DAVIS.columns(address[address & DAVIS.no_event == 0])
        camera = _smallest_davis(x, y)
    whose = f"the {chip.stated}" if chip.stated else "it"
    return f"where {whose} lays out its words as a {camera} does, into which they fit, {how_to_set('camera', camera)}"


def _smallest_davis(x: np.ndarray, y: np.ndarray) -> str:
    """The smallest DAVIS off which at most a few strays lie."""
    for camera, (width, height) in CHIPS.items():
        if camera != "DVS128" and ((x >= width) | (y >= height)).sum() <= STRAY * len(x):
            return camera
    return "DAVIS640"


def _refuse_other_camera(x: np.ndarray, y: np.ndarray, camera: str, name: str) -> None:
    """Raises BadRecording where the words are not of this camera: too many pixels, as stored, lie off its sensor."""
    width, height = CHIPS[camera]
    outside = int(((x >= width) | (y >= height)).sum())
    if camera == "DVS128" or outside <= max(1, STRAY * len(x)):
        return
    if (fitting := _smallest_davis(x, y)) != camera:
        raise BadRecording(
            f"{outside:,} of {len(x):,} events lie off the {width}x{height} pixels of a {camera}",
            where=name,
            fix=f"they fit a {fitting}: {how_to_set('camera', fitting)}",
            reason="outside_sensor",
        )
