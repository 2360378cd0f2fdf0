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
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from eventbench.errors import BadRecording, BadSpec
from eventbench.events import Events
from eventbench.events.memory import columns
from eventbench.files.progress import Progress, no_progress
from eventbench.sources._dat.kernels import (
    BACK,
    BITS,
    MOST_P,
    MOST_X,
    MOST_Y,
    RESUMED,
    decode,
    first_state,
    resumed,
)
from eventbench.sources._file_blocks import BLOCK_BYTES, Body, head_of
from eventbench.sources._percent_header import Header, percent_header
from eventbench.sources._piecewise import Pieces, kept
from eventbench.sources._times import Clock, unwrapped_after
from eventbench.sources.base import (
    LOSSES,
    PIECE_EVENTS,
    Columns,
    Decoded,
    Documentation,
    Note,
    Piece,
    RawColumns,
    Scan,
    Size,
    Source,
    how_to_set,
    smallest_sensor,
)

EVENT_BYTES = 8
EVENT_TYPES = (0, 12)
# Version -> (mask of x, shift and mask of y, shift and mask of polarity).
FIELDS = {1: (0x1FF, 9, 0xFF, 17, 0x1), 2: (0x3FFF, 14, 0x3FFF, 28, 0xF)}
BITS_OF_VERSION_1 = 18
_TRIGGERS = "these are external triggers, no events of the camera's pixels: those are in the file beside it, of a name in _td.dat"


class _File(NamedTuple):
    """A file that is known: its name in errors, its events, how they are laid out and whether that is known for sure, what
    was told of it so far, and its size where it says it.
    """

    name: str
    body: Body
    fields: tuple[np.uint32, ...]
    stated: bool
    notes: list[Note]
    size: Size | None


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

    def decode_counted(self, data: bytes, name: str, sensor: Size | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording for other versions and event types, and where the events are cut off."""
        return self._decoded(self._file(data, len(data), name, sensor, _NOWHERE, data))

    def read_counted(self, recording: Path | str, sensor: Size | None = None) -> Decoded:
        """As `decode_counted`; a large file is read a block at a time."""
        return self._decoded(self._opened(recording, sensor))

    def scan(self, path: Path, sensor: Size | None = None, progress: Progress = no_progress) -> Scan | None:
        """Pieces begin at any event; their state is that of the clock."""
        file, state = self._opened(path, sensor), first_state()
        begin, back, at = tuple(state[:RESUMED].tolist()), 0, file.body.start
        pieces = Pieces(at, file.size, self.outside, sort=self.sort, state=begin)
        blocks = progress(file.body.blocks("<u8"), of=file.name, unit="MiB", total=file.body.block_count)
        scratch = tuple(columns(BLOCK_BYTES // EVENT_BYTES))
        for block in blocks:
            for start in range(0, len(block), PIECE_EVENTS):
                words = block[start : start + PIECE_EVENTS]
                t, x, y, p = (column[: len(words)] for column in scratch)
                decode(words, file.fields, state, t, x, y, p)
                most, in_order = (int(state[MOST_X]), int(state[MOST_Y])), state[BACK] == back
                at, back = at + words.nbytes, state[BACK]
                pieces.add((t, x, y, p), at, tuple(state[:RESUMED].tolist()), most=most, in_order=in_order)
        fine = state[MOST_P] <= 1 and (file.stated or not state[BITS] >> BITS_OF_VERSION_1)
        scan = pieces.scan(file.notes, {}) if fine else None
        if scan is None:
            self._decoded(file)  # says what is wrong with it
        return scan

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:
        """The events of a piece; no other bytes than its own and the header's are read."""
        file = self._opened(path, scan.sensor)
        found, _ = _events(file._replace(body=Body(path, piece.start, piece.stop)), resumed(piece.state))
        return kept(found, scan.sensor, self.outside)

    def _opened(self, recording: Path | str, sensor: Size | None) -> _File:
        path = Path(recording)
        head, size = head_of(path)
        return self._file(head, size, str(recording), sensor, path, head if len(head) == size else b"")

    def _file(self, head: bytes, size: int, name: str, sensor: Size | None, path: Path, data: bytes) -> _File:
        header = percent_header(head)
        kind = head[header.end : header.end + 2]
        if not header.lines or not _holds_events(kind):
            raise BadRecording(
                f"after {len(header.lines)} header lines come the bytes {list(kind)}",
                where=name,
                allowed="event type 0 or 12, then 8, the bytes of an event",
                fix=_TRIGGERS if kind[:1] == b"\x0e" else "",
            )
        start = header.end + 2
        events, rest = divmod(size - start, EVENT_BYTES)
        notes = []
        if rest:
            what = f"{events:,} events and {rest} bytes more"
            notes = [self.cut_off(what, name, f"events of {EVENT_BYTES} bytes")]
        stated = _stated_version(header)
        if stated not in ("", *map(str, FIELDS)):
            raise BadRecording(f"version {stated[:20]} of the format", where=name, allowed="1 or 2")
        version = int(stated or self.format_version)
        body = Body(path, start, start + EVENT_BYTES * events, data)
        return _File(name, body, _KERNEL_FIELDS[version or 1], bool(version), notes, sensor or header.size())

    def _decoded(self, file: _File) -> Decoded:
        (t, x, y, p), state = _events(file, first_state())
        if not file.stated and state[BITS] >> BITS_OF_VERSION_1:
            raise _not_of_version_1(file)
        size = file.size or smallest_sensor(x, y, file.name)
        inside = state[MOST_X] < size[0] <= 65536 and state[MOST_Y] < size[1] <= 65536
        if inside and not state[BACK] and state[MOST_P] <= 1 and {type(side) for side in size} == {int}:
            lost = {note.kind: note.times for note in file.notes if note.kind in LOSSES}
            return Decoded(Events.trusted(t, x, y, p, (size[0], size[1])), lost, tuple(file.notes))
        return self.checked((t, x, y, p), sensor=size, name=file.name, notes=file.notes)

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns of the whole events, laid out as the header's version says."""
        header = percent_header(data)
        start = header.end + 2
        events = (len(data) - start) // EVENT_BYTES
        return self._raw(np.frombuffer(data, "<u4", 2 * events, start), header, Clock())[0]

    def raw_pieces(self, path: Path) -> Iterator[RawColumns]:
        """The same, a block at a time."""
        head, size = head_of(path)
        header, clock = percent_header(head), Clock()
        start = header.end + 2
        for words in Body(path, start, size - (size - start) % EVENT_BYTES).blocks("<u4"):
            raw, clock = self._raw(words, header, clock)
            yield raw

    def _raw(self, words: np.ndarray, header: Header, clock: Clock) -> tuple[RawColumns, Clock]:
        """The columns of some words, the times of which go on from a clock, and the clock after them."""
        words = words.reshape(-1, 2)
        x, y, p = _places(words[:, 1], int(_stated_version(header) or self.format_version or 1))
        t, after = unwrapped_after(words[:, 0], clock)
        wraps = after.wraps - clock.wraps
        return RawColumns(t, x, y, p, size=header.size(), wraps=wraps, clock_us=2**32), after

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # 1 is ON in both versions
        """A field, wider than it has to be in version 2."""
        return "a field of 1 or 4 bits, 1 is ON"


_VERSION = re.compile(r"version\s+\S", re.IGNORECASE)


def _holds_events(head: bytes) -> bool:
    return len(head) == 2 and head[0] in EVENT_TYPES and head[1] == EVENT_BYTES


def _stated_version(header: Header) -> str:
    """The version as the header writes it; "" where it gives none."""
    return next((line.split()[1] for line in header.lines if _VERSION.match(line)), "")


def _places(word: np.ndarray, version: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and polarity, uint32, of words (events,) laid out as `version` has them."""
    x_mask, y_shift, y_mask, p_shift, p_mask = FIELDS[version]
    return word & x_mask, word >> y_shift & y_mask, word >> p_shift & p_mask


_KERNEL_FIELDS = {version: tuple(np.uint32(field) for field in fields) for version, fields in FIELDS.items()}
_NOWHERE = Path()  # where the bytes at hand are: nobody looks there


def _events(file: _File, state: np.ndarray) -> tuple[Columns, np.ndarray]:
    """Every event of a file, and the state after the last."""
    (t, x, y, p), n = tuple(columns(file.body.size // EVENT_BYTES)), 0
    for words in file.body.blocks("<u8"):
        end = n + len(words)
        decode(words, file.fields, state, t[n:end], x[n:end], y[n:end], p[n:end])
        n = end
    return (t, x, y, p), state


def _not_of_version_1(file: _File) -> BadRecording:
    at = 0
    for words in file.body.blocks("<u8"):
        beyond = np.flatnonzero(words >> np.uint64(32 + BITS_OF_VERSION_1))
        if len(beyond):
            word = int(words[beyond[0]]) >> 32
            at += int(beyond[0])
            break
        at += len(words)
    return BadRecording(
        f"the header gives no version, and the word of event {at:,}, {word:#010x}, is not of version 1",
        where=file.name,
        allowed="a header line '% Version 1' or '% Version 2'",
        fix=f"if it is of version 2, {how_to_set('format_version', 2)}",
    )
