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
from eventbench.sources._aedat.header import CHIPS, Chip, chip_of, header_lines
from eventbench.sources._decoded import counted
from eventbench.sources._times import unwrapped
from eventbench.sources.base import Decoded, Documentation, Note, RawColumns, Source, how_to_set

RECORD_BYTES = 8
MARK = 1 << 10  # of a DAVIS' external signals, and of events of pixels that are special
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
DAVIS = Word(0x80000400, 12, 0x3FF, 22, 0x1FF, 11, on=1)


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
        lines, start = header_lines(data)
        records, rest = divmod(len(data) - start, RECORD_BYTES)
        notes: list[Note] = []
        if rest:
            what = f"{records:,} records and {rest} bytes more after the header of {start:,} bytes"
            notes = [self.cut_off(what, name, f"records of {RECORD_BYTES} bytes")]
        address, clock = _words(data, start)
        camera = self.camera or _camera_of(chip_of(lines), address, sensor, name)
        own = CHIPS[camera]
        if camera == "DVS128" and (address > 0xFFFF).any():
            at = int(np.argmax(address > 0xFFFF))
            raise BadRecording(
                f"record {at:,} has an address of more than 16 bits",
                where=name,
                allowed="those of a DVS128",
                fix=_fitting(address, chip_of(lines)),
            )
        word = _word_of(camera)
        events, marked = self._pixels(address, word)
        notes += marked
        x, y, p = word.columns(address[events])
        _refuse_other_camera(x, y, camera, name)
        if not self.as_stored:
            x, y = own[0] - 1 - x.astype(np.int64), own[1] - 1 - y.astype(np.int64)
            p = (p == word.on).astype(np.uint8)
        t, _ = unwrapped(clock[events])
        return self.checked((t, x, y, p), sensor=sensor or own, name=name, notes=notes)

    def _pixels(self, address: np.ndarray, word: Word) -> tuple[np.ndarray, list[Note]]:
        """bool (records,): which are events of pixels, and a note on those that are marked as special."""
        marks = address & word.no_event
        events: np.ndarray = marks == 0
        special: np.ndarray = marks == MARK
        if word is DVS128 or not special.any():
            return events, []
        special &= (
            address & ~np.uint32(MARK | 1 << word.p_shift) != 0
        )  # an external signal has the mark alone
        if self.marked == "keep":
            return events | special, []
        if not special.any():
            return events, []
        count = int(special.sum())
        what = f"{counted(count, 'event')} marked as special, as v2e marks noise: left out"
        return events, [Note("marked", what, count, f"to have them as well, {how_to_set('marked', 'keep')}")]

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns as stored; of a DVS128 where the header names no camera."""
        lines, start = header_lines(data)
        address, clock = _words(data, start)
        camera = self.camera or chip_of(lines).known or "DVS128"
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


def _camera_of(chip: Chip, address: np.ndarray, sensor: tuple[int, int] | None, name: str) -> str:
    """The camera, of CHIPS, that a header names or whose words these can only be. Raises BadRecording with what fits."""
    if chip.known:
        return chip.known
    if chip.is_no_camera:
        what = f"the header names the chip {chip.stated}, which is no event camera"
        raise BadRecording(what, where=name, allowed=", ".join(CHIPS))
    if not chip.stated:
        if (address <= 0xFFFF).all():
            return "DVS128"
        of_this_size = [camera for camera, size in CHIPS.items() if size == sensor and camera != "DVS128"]
        if of_this_size:
            return of_this_size[0]
    what = (
        f"the header names the chip {chip.stated}, which is no event camera known here"
        if chip.stated
        else "the header names no chip, and addresses are of more than 16 bits"
    )
    raise BadRecording(what, where=name, allowed=", ".join(CHIPS), fix=_fitting(address, chip))


def _fitting(address: np.ndarray, chip: Chip) -> str:
    """Advice: the smallest camera into which the words fit, as those of cameras of this kind are laid out."""
    if (address <= 0xFFFF).all():
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
    """Raises BadRecording where the words are not of this camera: too many pixels lie off its sensor."""
    width, height = CHIPS[camera]
    if camera == "DVS128" or not len(x) or (x.max() < width and y.max() < height):
        return
    outside = int(((x >= width) | (y >= height)).sum())
    if outside > max(1, STRAY * len(x)) and (fitting := _smallest_davis(x, y)) != camera:
        raise BadRecording(
            f"{outside:,} of {len(x):,} events lie off the {width}x{height} pixels of a {camera}",
            where=name,
            fix=f"they fit a {fitting}: {how_to_set('camera', fitting)}",
            reason="outside_sensor",
        )
