"""Prophesee RAW (`.raw`): EVT 2.0, EVT 2.1, EVT 3.0 and EVT 4.0.

Header lines of `%` name the encoding (`% evt 3.0`, or `% format EVT3;height=720;width=1280`); words of 32, 64 or 16
bits follow, in which time is spread over words of its own. Prophesee, "Data encoding formats", and openeb 5.1 for EVT 4.0.
How those words are told from damaged ones, and a clock that wrapped from one that began anew: `_evt.clock`.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.files.content import file_bytes
from eventbench.files.progress import Progress, no_progress
from eventbench.sources._decoded import Columns
from eventbench.sources._evt.clock import Clock
from eventbench.sources._evt.decoding import (
    ENCODINGS,
    Words,
    all_events,
    events_by_part,
    judged_clock,
    went_on,
)
from eventbench.sources._evt.header import ENCODING, size_of_chip, stated_encoding, system, upper_half_first
from eventbench.sources._evt.notes import told_clock, told_words
from eventbench.sources._evt.state import BACK, BROKEN, MOST_X, MOST_Y, RESUMED, resumed
from eventbench.sources._file_blocks import Body, head_of
from eventbench.sources._percent_header import MOST_BYTES, Header, percent_header
from eventbench.sources._piecewise import Pieces, kept
from eventbench.sources.base import (
    LOSSES,
    ONE_BIT,
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

CONVERTER = (
    "convert it with Prophesee's metavision_file_to_csv, or metavision_file_to_hdf5 where the HDF5 filter ECF is "
    "installed, or record it as EVT 3"
)
_WRITER = ("system_id", "serial_number", "plugin_name", "integrator_name", "camera_integrator_name")
_OTHER_FORMATS = ("data file containing", "version ", "height ")


class _File(NamedTuple):
    """A file that is known: its name in errors, its words, what was told of it so far, and its size where it says it."""

    name: str
    words: Words
    notes: list[Note]
    size: Size | None


class Evt(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of Prophesee RAW. Words of triggers and of other kinds are counted and left out, and so are events before the
    first word of time, which have none.

    Parameters
    ----------
    encoding : "evt2", "evt2.1", "evt3" or "evt4", for a file whose header names neither one nor a system
    restart : "refuse" a file whose clock begins anew, or "join" the parts: each goes on from where the one before ended

    The sensor's size is the header's or, in older files, that of the chip its plug-in or its `system_ID` is for; where all
    are missing, the smallest that holds every event.
    """

    version: ClassVar[int] = 3
    about: ClassVar[Documentation] = Documentation(
        what="Prophesee RAW: EVT 2.0, EVT 2.1, EVT 3.0 and EVT 4.0",
        recognised="a header line `% evt 3.0` or `% format EVT3`, or `% system_ID`",
        sensor="the header; else the chip its plug-in or `system_ID` is for; else the smallest that holds every event",
        unit="us",
        polarity="1 is ON",
        traps=(
            "Time is spread over words of its own and wraps (24 bits in EVT 3.0, 34 in the others): a step back of "
            "more than half is a wrap, a smaller one is none, and adding a range at each ends hours late. A word of "
            "time that its neighbours contradict is damaged and passed over, and the events after it are counted. A "
            "clock that begins anew is refused unless `restart`, other steps back unless `sort`. Events before the "
            "first word of time are left out and counted, and so are external triggers."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".raw",)
    magics: ClassVar[tuple[bytes, ...]] = (b"% evt ", b"% format EVT")

    encoding: str = ""
    restart: Literal["refuse", "join"] = "refuse"

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether a line of the header names an encoding, or the camera as Prophesee's cameras do."""
        lines = [line.lower() for line in percent_header(data).lines]
        if any(ENCODING.match(line) for line in lines):
            return True
        return any(line.startswith(_WRITER) for line in lines) and not any(
            line.startswith(_OTHER_FORMATS) for line in lines
        )

    def decode_counted(self, data: bytes, name: str, sensor: Size | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording where no encoding is named, or the words are cut off."""
        return self._decoded(self._file(data, len(data), name, sensor, Path(name), data))

    def read_counted(self, recording: Path | str, sensor: Size | None = None) -> Decoded:
        """As `decode_counted`; a large file is read a block at a time."""
        return self._decoded(self._opened(Path(recording), str(recording), sensor))

    def scan(self, path: Path, sensor: Size | None = None, progress: Progress = no_progress) -> Scan | None:
        """Pieces begin at any word; a clock that did not only advance is kept as its judged words."""
        file, found, clock = self._opened(path, str(path), sensor), None, None
        notes: list[Note] = []
        pieces, state = self._pieces(file, None, progress)
        if not went_on(state):
            found = judged_clock(file.words)
            clock, notes = told_clock(found, file.words.encoding.LOW_BITS, self.restart, file.name)
            pieces, state = self._pieces(file, clock, progress)
        notes = file.notes + notes + told_words(state, found)
        scan = pieces.scan(notes, clock._asdict() if clock else {})
        if scan is None:
            self._decoded(file)  # says what is wrong with it
        return scan

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:
        """The events of a piece; no other bytes than its own and the header's are read."""
        words = self._opened(path, str(path), scan.sensor).words
        words = words._replace(body=Body(path, piece.start, piece.stop))
        clock = (
            Clock(**{name: np.asarray(array) for name, array in scan.arrays.items()}) if scan.arrays else None
        )
        found, _ = all_events(words, clock, resumed(piece.state), piece.events)
        return kept(found, scan.sensor, self.outside)

    def _opened(self, path: Path, name: str, sensor: Size | None) -> _File:
        head, size = head_of(path)
        if size > len(head) - MOST_BYTES and percent_header(head).end > len(head) - MOST_BYTES:
            head = file_bytes(path)
        return self._file(head, size, name, sensor, path, head if len(head) == size else b"")

    def _file(self, head: bytes, size: int, name: str, sensor: Size | None, path: Path, data: bytes) -> _File:
        header = percent_header(head)
        encoding, notes = self._encoding(header, name)
        word_bytes = ENCODINGS[encoding].WORD_BYTES
        whole, rest = divmod(size - header.end, word_bytes)
        if rest:
            what = f"{rest} bytes after the last whole word"
            notes.append(self.cut_off(what, name, f"words of {word_bytes} bytes"))
        body = Body(path, header.end, header.end + whole * word_bytes, data)
        swapped = 32 if encoding == "21" and upper_half_first(header) else 0
        stated = sensor or header.size() or size_of_chip(header)
        return _File(name, Words(body, ENCODINGS[encoding], swapped), notes, stated)

    def _encoding(self, header: Header, name: str) -> tuple[str, list[Note]]:
        stated = stated_encoding(header)
        encoding = stated or self.encoding.lower().removeprefix("evt").removesuffix(".0").replace(".", "")
        if encoding in ENCODINGS:
            return encoding, []
        named = system(header)
        if not encoding and named and named[1]:
            what = f"the header names no encoding: EVT {named[1]}.0 is told from its system_ID"
            return named[1], [Note("header", what)]
        raise BadRecording(
            f"its encoding is {encoding or 'not named'}",
            where=name,
            allowed="a header line '% evt 2.0', '% evt 2.1', '% evt 3.0' or '% evt 4.0'",
            fix=CONVERTER if stated else f"if you know which it is, {how_to_set('encoding', 'evt3')}",
        )

    def _decoded(self, file: _File) -> Decoded:
        (t, x, y, p), state = all_events(file.words)
        found, notes = None, list(file.notes)
        if not went_on(state):
            found = judged_clock(file.words)
            clock, told = told_clock(found, file.words.encoding.LOW_BITS, self.restart, file.name)
            notes += told
            (t, x, y, p), state = all_events(file.words, clock)
        notes += told_words(state, found)
        size = file.size or (smallest_sensor(x, y, file.name) if not len(x) else _just_holding(state))
        inside = state[MOST_X] < size[0] <= 65536 and state[MOST_Y] < size[1] <= 65536
        if inside and not state[BACK] and {type(side) for side in size} == {int}:
            lost = {note.kind: note.times for note in notes if note.kind in LOSSES}
            return Decoded(Events.trusted(t, x, y, p, (size[0], size[1])), lost, tuple(notes))
        return self.checked((t, x, y, p), sensor=size, name=file.name, notes=notes)

    def _pieces(self, file: _File, clock: Clock | None, progress: Progress) -> tuple[Pieces, np.ndarray]:
        words, state = file.words, file.words.first_state()
        begin, back = tuple(state[:RESUMED].tolist()), 0
        pieces = Pieces(words.body.start, file.size, self.outside, sort=self.sort, state=begin)
        blocks = progress(words.blocks(), of=file.name, unit="MiB", total=words.body.block_count)
        for at, part in events_by_part(words, blocks, clock, state):
            most, in_order = (int(state[MOST_X]), int(state[MOST_Y])), state[BACK] == back
            pieces.add(part, at, tuple(state[:RESUMED].tolist()), most=most, in_order=in_order)
            back = state[BACK]
            if clock is None and state[BROKEN]:
                break
        return pieces, state

    def states_sensor(self, data: bytes) -> bool:
        """Whether the header has the size, or names a plug-in or a system, which is for a chip of one size."""
        header = percent_header(data)
        return header.size() is not None or size_of_chip(header) is not None

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT


def _just_holding(state: np.ndarray) -> Size:
    return int(state[MOST_X]) + 1, int(state[MOST_Y]) + 1
