"""What a source is: the decoder of one raw format, or a simulator that stands in for one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
import numpy as np

from eventbench.errors import BadRecording
from eventbench.events import EventBatch, Events
from eventbench.files.content import file_bytes
from eventbench.files.progress import Progress, no_progress
from eventbench.sources._decoded import FIXES, LOSSES, MENDED, Columns, Decoded, Note, decoded, how_to_set
from eventbench.sources._pieces import PIECE_EVENTS, Piece, Scan
from eventbench.sources._raw_columns import RawColumns, Size
from eventbench.sources._unit_doubts import UNIT, unit_cure, unit_doubt

if TYPE_CHECKING:
    from eventbench.specs.card import Card
    from eventbench.specs.sample import Sample

__all__ = [
    "FIXES",
    "GIVE_SENSOR",
    "LOSSES",
    "MENDED",
    "ONE_BIT",
    "PER_US",
    "PIECE_EVENTS",
    "UNIT",
    "Columns",
    "Decoded",
    "Documentation",
    "Note",
    "Piece",
    "RawColumns",
    "Scan",
    "Size",
    "Source",
    "Told",
    "checked_events",
    "decoded",
    "how_to_set",
    "smallest_sensor",
    "unheard",
    "unit_cure",
    "unit_doubt",
]

PER_US = {"ns": (1, 1000), "us": (1, 1), "ms": (1000, 1), "s": (1_000_000, 1)}  # unit -> (times, divided by)
GIVE_SENSOR = "give sensor=(width, height), --sensor WxH, or sensor in the card"
ONE_BIT = "one bit, 1 is ON"  # the polarity of most cameras' formats
Told = Callable[[Path | str, Sequence[Note]], None]


def unheard(path: Path | str, notes: Sequence[Note]) -> None:
    """Nobody listens to the notes of many files."""


class Documentation(msgspec.Struct, frozen=True, kw_only=True):
    """What the documentation says of a format beside its docstring: a cell of the table of formats each.

    what : the format, and datasets in it
    recognised : what in a file says that it is of this format
    sensor, unit, polarity : where the sensor's size comes from, the unit of times, how ON and OFF are written
    traps : what other readers get wrong, and what is done about it here
    """

    what: str
    recognised: str
    sensor: str
    unit: str
    polarity: str
    traps: str


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decoder. Its fields are the parameters a card may set.

    A decoder of files gives `suffixes` (endings it answers to), `magics` (first bytes that are its alone, where the
    format has such) and `decode_counted`; one whose files hold many recordings each says `holds_many` and also gives
    `decode_row`, `recordings_in`, `labels_in` and `subjects_in`. A simulator has no suffixes and gives `read` and
    `samples(card)` instead.

    Parameters of the same name mean the same in every source: `unit` is that of times, `order` names the columns,
    `first` is what x and y count from. Every decoder of files has these three, and counts what each did:

    Parameters
    ----------
    sort : sort events whose times step back (stable); else such a file is refused
    outside : "refuse" a file with events off the sensor, or "drop" those events
    salvage : of a file that is cut off, take the whole words, records or packets before the cut; else it is refused

    Attributes
    ----------
    version : goes up whenever the events that come out change; it is part of every store's key
    about : what the documentation says of the format; every member of this package gives one
    time_unit : of the times in a file, where `raw_columns` does not say
    has_polarity : whether a file says which events are ON
    holds_many : whether a file holds many recordings
    read_isolated : whether files are read in a process of its own, since the library that reads them crashes on damaged ones
    needs_file : whether what lies beside a file matters, so that its bytes are not enough
    shared_suffixes : those of `suffixes` that notes and tables have as well; such a file without events is no recording
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation]
    suffixes: ClassVar[tuple[str, ...]] = ()
    magics: ClassVar[tuple[bytes, ...]] = ()
    time_unit: ClassVar[str] = "us"
    has_polarity: ClassVar[bool] = True
    holds_many: ClassVar[bool] = False
    read_isolated: ClassVar[bool] = False
    needs_file: ClassVar[bool] = False
    shared_suffixes: ClassVar[tuple[str, ...]] = ()

    sort: bool = False
    outside: Literal["refuse", "drop"] = "refuse"
    salvage: bool = False

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether the bytes of a file say that it is of this format; at most one source says so of any file."""
        return data.startswith(cls.magics)

    @classmethod
    def resembles(cls, data: bytes, size: int | None = None) -> bool:  # noqa: ARG003  # for formats without a header
        """Whether a file that no source recognises could be of this format: for formats without a header.

        `size` is the file's where `data` is only its beginning.
        """
        return False

    @classmethod
    def settable(cls, parameter: str) -> bool:
        """Whether a card can set this parameter, such as "unit" or "sort"."""
        return parameter in cls.__struct_fields__

    def decode(self, data: bytes, name: str, sensor: Size | None = None) -> Events:
        """The events in a file's bytes, in time order; `name` is what errors call the file.

        `sensor` is (width, height); None takes it from the file or, where the format does not say, the smallest
        sensor that holds every event. Raises BadRecording, naming the file and the place in it.
        """
        return self.decode_counted(data, name, sensor).events

    def decode_counted(self, data: bytes, name: str, sensor: Size | None = None) -> Decoded:
        """As `decode`, with an account of what was left out of the events and what was done to them."""
        if type(self).decode is Source.decode:
            raise NotImplementedError
        return Decoded(self.decode(data, name, sensor))  # of a source without an account

    def raw_columns(self, data: bytes) -> RawColumns | None:  # noqa: ARG002  # for formats that are columns
        """The columns of a file before any check, for whoever wants to know all that is wrong with them.

        None where the format has none to look at before decoding. May raise anything on bytes that are not of the format.
        """
        return None

    def raw_pieces(self, path: Path) -> Iterator[RawColumns]:
        """`raw_columns` of a file in pieces, in its order and with flat memory: for formats of which that can be had."""
        raise NotImplementedError

    def states_sensor(self, data: bytes) -> bool:  # noqa: ARG002  # for formats with a header
        """Whether a file says how large its sensor is in a way that `raw_columns` does not give as `size`."""
        return False

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # for formats with cameras
        """How files of this format write polarity, as "one bit, 1 is ON"; "" where only the values of a file tell."""
        return ""

    def recordings_in(self, path: Path) -> int:  # noqa: ARG002  # for formats that hold many
        """How many recordings a file of this format holds; 0 where it cannot be read."""
        return 1

    def labels_in(self, path: Path) -> np.ndarray:
        """int64 (recordings,): the class of each recording of a file that holds many. Raises BadRecording without."""
        raise NotImplementedError

    def subjects_in(self, path: Path) -> np.ndarray:
        """int64 (recordings,): the number of who is in each recording of a file that holds many; -1 where it does not say."""
        raise NotImplementedError

    def decode_many(
        self, paths: Sequence[Path | str], sensor: Size | None = None, told: Told = unheard
    ) -> EventBatch:
        """The events of many files of this format and one sensor, end to end; as `decode` in all else.

        None for `sensor` takes the smallest that holds what every file says. `told` is called with each file and its notes.
        """
        recordings = []
        for path in paths:
            found = self.read_counted(path, sensor)
            recordings.append(found.events)
            told(path, found.notes)
        width = max((events.sensor[0] for events in recordings), default=1)
        height = max((events.sensor[1] for events in recordings), default=1)
        common = sensor or (width, height)
        parts = [Events.trusted(events.t, events.x, events.y, events.p, common) for events in recordings]
        return EventBatch.of(parts, common)

    def decode_row(self, path: Path, row: int, sensor: Size | None = None) -> Events:
        """The events of recording number `row`, counted from 0, of a file that holds many."""
        raise NotImplementedError

    def decode_row_counted(self, path: Path, row: int, sensor: Size | None = None) -> Decoded:
        """As `decode_row`, with the account of `decode_counted`."""
        return Decoded(self.decode_row(path, row, sensor))

    def samples(self, card: Card) -> list[Sample]:
        """Every sample that a simulator makes for a card, sorted by id; decoders have none of their own."""
        raise NotImplementedError

    def read(self, recording: Path | str, sensor: Size | None = None) -> Events:
        """The events of one recording: a file, or the id of a simulated one."""
        return self.read_counted(recording, sensor).events

    def read_counted(self, recording: Path | str, sensor: Size | None = None) -> Decoded:
        """As `read`, with the account of `decode_counted`."""
        if type(self).read is not Source.read:
            return Decoded(self.read(recording, sensor))
        return self.decode_counted(file_bytes(Path(recording)), str(recording), sensor)

    def scan(
        self,
        path: Path,  # noqa: ARG002  # for formats that can be cut
        sensor: Size | None = None,  # noqa: ARG002
        progress: Progress = no_progress,  # noqa: ARG002
    ) -> Scan | None:
        """Where the file of one recording can be cut, found in one pass with flat memory; None where it cannot.

        `progress` is told of bytes, or of rows where the source counts those. Raises as `read_counted` does.
        """
        return None

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:
        """t, x, y, p (events,) of one piece, of the types of Events, valid and in the order of the file: not sorted."""
        raise NotImplementedError

    @property
    def changes_events(self) -> bool:
        """Whether a parameter asks for more than to decode and check."""
        return self.sort or self.salvage or self.outside != "refuse"

    def cut_off(self, what: str, name: str, allowed: str = "") -> Note:
        """The note of a file that ends within a word, record or packet. Raises BadRecording unless `salvage`."""
        if not self.salvage:
            fix = (
                f"fetch the file again, or, to take what stands before the cut, {how_to_set('salvage', True)}"
            )
            raise BadRecording(f"truncated: {what}", where=name, allowed=allowed, fix=fix, reason="truncated")
        return Note("cut_off", f"cut off: {what}", fix="fetch the file again to have what is missing")

    def checked(
        self,
        columns: Sequence[np.ndarray],
        *,
        sensor: Sequence[int],
        name: str,
        notes: Iterable[Note] = (),
        fixes: Mapping[str, str] | None = None,
    ) -> Decoded:
        """The events of the columns t, x, y, p, sorted and dropped as the parameters say; see `decoded`."""
        return decoded(
            columns,
            sensor=sensor,
            name=name,
            sort=self.sort,
            outside=self.outside,
            notes=notes,
            fixes=fixes,
        )


def smallest_sensor(x: np.ndarray, y: np.ndarray, name: str) -> Size:
    """The (width, height) that just holds every pixel. Raises BadRecording where there is no event to tell it from."""
    if not x.size or not y.size:
        raise BadRecording("no event to tell the sensor size from", where=name, fix=GIVE_SENSOR)
    if x.dtype.kind not in "iu" or y.dtype.kind not in "iu":
        raise BadRecording(f"x is {x.dtype} and y is {y.dtype}", where=name, allowed="whole numbers")
    return int(x.max()) + 1, int(y.max()) + 1


def checked_events(
    t: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    p: np.ndarray,
    *,
    sensor: Sequence[int],
    name: str,
    fixes: Mapping[str, str] | None = None,
) -> Events:
    """Events of decoded columns. What is wrong with them becomes a BadRecording of the file `name`, as in `decoded`."""
    return decoded((t, x, y, p), sensor=sensor, name=name, fixes=fixes).events
