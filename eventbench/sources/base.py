"""What a source is: the decoder of one raw format, or a simulator that stands in for one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
import numpy as np

from eventbench.errors import BadRecording
from eventbench.events import EventBatch, Events
from eventbench.files.content import file_bytes

if TYPE_CHECKING:
    from eventbench.specs.card import Card
    from eventbench.specs.sample import Sample


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decoder. Its fields are the parameters a card may set.

    A decoder of files gives `suffixes` (endings it answers to), `magics` (first bytes that are its alone, where the
    format has such) and `decode`; one whose files hold many recordings each also gives `decode_row`. A simulator has
    no suffixes and gives `read` and `samples(card)` instead. `version` goes up whenever the events that come out change; it is part of every store's key.
    """

    version: ClassVar[int] = 1
    suffixes: ClassVar[tuple[str, ...]] = ()
    magics: ClassVar[tuple[bytes, ...]] = ()

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether the bytes of a file say that it is of this format; at most one source says so of any file."""
        return data.startswith(cls.magics)

    @classmethod
    def resembles(cls, data: bytes, size: int | None = None) -> bool:
        """Whether a file that no source recognises could be of this format: for formats without a header.

        `size` is the file's where `data` is only its beginning.
        """
        return False

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in a file's bytes, in time order; `name` is what errors call the file.

        `sensor` is (width, height); None takes it from the file or, where the format does not say, the smallest
        sensor that holds every event. Raises BadRecording, naming the file and the place in it.
        """
        raise NotImplementedError

    def decode_many(self, paths: Sequence[Path | str], sensor: tuple[int, int] | None = None) -> EventBatch:
        """The events of many files of this format and one sensor, end to end; as `decode` in all else.

        None for `sensor` takes the smallest that holds what every file says.
        """
        recordings = [self.read(path, sensor) for path in paths]
        width = max((events.sensor[0] for events in recordings), default=1)
        height = max((events.sensor[1] for events in recordings), default=1)
        common = sensor or (width, height)
        parts = [Events.trusted(one.t, one.x, one.y, one.p, common) for one in recordings]
        return EventBatch.of(parts, common)

    def decode_row(self, path: Path, row: int, sensor: tuple[int, int] | None = None) -> Events:
        """The events of recording number `row`, counted from 0, of a file that holds many."""
        raise NotImplementedError

    def samples(self, card: Card) -> list[Sample]:
        """Every sample that a simulator makes for a card, sorted by id; decoders have none of their own."""
        raise NotImplementedError

    def read(self, recording: Path | str, sensor: tuple[int, int] | None = None) -> Events:
        """The events of one recording: a file, or the id of a simulated one."""
        return self.decode(file_bytes(Path(recording)), str(recording), sensor)


def smallest_sensor(x: np.ndarray, y: np.ndarray, name: str) -> tuple[int, int]:
    """The (width, height) that just holds every pixel. Raises BadRecording where there is no event to tell it from."""
    if not x.size or not y.size:
        raise BadRecording(
            "no event to tell the sensor size from", where=name, fix="give sensor=(width, height)"
        )
    if x.dtype.kind not in "iu" or y.dtype.kind not in "iu":
        raise BadRecording(f"x is {x.dtype} and y is {y.dtype}", where=name, allowed="whole numbers")
    return int(x.max()) + 1, int(y.max()) + 1
