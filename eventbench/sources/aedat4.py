"""AEDAT 4 of DV (`.aedat4`): the events of one of its event streams.

A line `#!AER-DAT4.0`, a flatbuffer that describes the streams, then packets of events, frames, inertial samples and
triggers, packed with LZ4 or Zstandard. iniVation, "AEDAT 4 file format". faery's decoder is not taken: where a packet is
earlier than the one before, it gives all its events the last time of that one.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.errors import BadRecording
from eventbench.sources._aedat.aedat4_file import Aedat4File, checked
from eventbench.sources._aedat.aedat4_packets import events_of
from eventbench.sources._aedat.sound import fits, sound
from eventbench.sources.base import (
    ONE_BIT,
    Decoded,
    Documentation,
    Note,
    RawColumns,
    Source,
    how_to_set,
    smallest_sensor,
)


class Aedat4(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of AEDAT 4. `stream` is the id of the event stream to read; None takes the first.

    Packets come out in the order of the file, with the times that they have: where one is earlier than the one before, the
    file is refused unless `sort`.
    """

    version: ClassVar[int] = 2
    about: ClassVar[Documentation] = Documentation(
        what="AEDAT 4 of DV: events in packets, packed with LZ4 or Zstandard",
        recognised="the line `#!AER-DAT4.`",
        sensor="the stream's own; else the smallest that holds every event",
        unit="us, since 1970",
        polarity="1 is ON",
        traps=(
            "A file may hold several event streams: the first is read, and the others are told, unless `stream` says "
            "which. Packets may be out of order: their times are kept, where other readers replace them by the last one "
            "before, and the file is refused unless `sort`."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".aedat4",)
    magics: ClassVar[tuple[bytes, ...]] = (b"#!AER-DAT4.",)

    stream: int | None = None

    def decode_counted(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Decoded:
        """The events in `data`, on the stream's own sensor where none is given. Raises BadRecording without a stream."""
        file = checked(data, name)
        notes = [self.cut_off(file.cut, name)] if file.cut else []
        chosen = self._chosen(file, name)
        notes += _other_streams(file, chosen) if self.stream is None else []
        events = events_of(data, file.packets_of(chosen), file.compression, name)
        size = sensor or file.streams[chosen].size or smallest_sensor(events.x, events.y, name)
        if events.in_order and events.x.dtype == np.uint16 and fits(events.highest, size):
            return sound(events[:4], size, notes)
        return self.checked(events[:4], sensor=size, name=name, notes=notes)

    def _chosen(self, file: Aedat4File, name: str) -> int:
        ids = _event_streams(file)
        if self.stream is None and ids:
            return ids[0]
        if self.stream in ids and self.stream is not None:
            return self.stream
        missing = "no event stream in it" if self.stream is None else f"no event stream {self.stream}"
        raise BadRecording(missing, where=name, allowed=f"streams {ids}" if ids else "")

    def states_sensor(self, data: bytes) -> bool:  # noqa: ARG002  # whatever is in it
        """Always: the header has it."""
        return True

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT


def _event_streams(file: Aedat4File) -> list[int]:
    return sorted(id for id, stream in file.streams.items() if stream.kind == "EVTS")


def _other_streams(file: Aedat4File, chosen: int) -> list[Note]:
    ids = _event_streams(file)
    others = [id for id in ids if id != chosen]
    if not others:
        return []
    listed = ", ".join(
        f"{id} ({size[0]}x{size[1]})" if (size := file.streams[id].size) else str(id) for id in ids
    )
    what = f"it holds {len(ids)} event streams, {listed}: stream {chosen} is read"
    return [Note("other_streams", what, len(others), f"for another one, {how_to_set('stream', others[0])}")]
