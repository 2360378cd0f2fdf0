"""Which camera an AEDAT 2.0 file is of, by its header and its words, and how that lays out its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.sources._aedat.aedat2_kernels import MARK, RECORD_BYTES, address_bits
from eventbench.sources._aedat.header import CHIPS, Chip
from eventbench.sources._decoded import how_to_set

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


class Records(NamedTuple):
    """The whole records behind a header of `start` bytes: their words are only looked at where a header leaves questions."""

    raw: np.ndarray
    start: int

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


def word_of(camera: str) -> Word:
    """How a camera lays out its words."""
    return DVS128 if camera == "DVS128" else DAVIS


def undisputed(chip: Chip, short: Callable[[], bool], sensor: tuple[int, int] | None) -> str:
    """The camera that a header names or, where it names none, whose words these can only be; "" where that is not known.

    `short` says whether every address has 16 bits at most.
    """
    if chip.known or chip.stated:
        return chip.known
    if short():
        return "DVS128"
    return next((camera for camera, size in CHIPS.items() if size == sensor and camera != "DVS128"), "")


def camera_of(chip: Chip, records: Records, sensor: tuple[int, int] | None, name: str) -> str:
    """The camera, of CHIPS, that a header names or whose words these can only be. Raises BadRecording with what fits."""
    if camera := undisputed(chip, records.short, sensor):
        return camera
    if chip.is_no_camera:
        what = f"the header names the chip {chip.stated}, which is no event camera"
        raise BadRecording(what, where=name, allowed=", ".join(CHIPS))
    what = (
        f"the header names the chip {chip.stated}, which is no event camera known here"
        if chip.stated
        else "the header names no chip, and addresses are of more than 16 bits"
    )
    raise BadRecording(what, where=name, allowed=", ".join(CHIPS), fix=_fitting(records, chip))


def of_no_dvs128(records: Records, chip: Chip, name: str) -> BadRecording:
    """What to say of records that cannot be a DVS128's."""
    at = int(np.argmax(records.address > 0xFFFF))
    what = f"record {at:,} has an address of more than 16 bits"
    return BadRecording(what, where=name, allowed="those of a DVS128", fix=_fitting(records, chip))


def _fitting(records: Records, chip: Chip) -> str:
    """Advice: the smallest camera into which the words fit, as those of cameras of this kind are laid out."""
    address = records.address
    if records.short():
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


def refuse_other_camera(x: np.ndarray, y: np.ndarray, camera: str, name: str) -> None:
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
