"""AEDAT 4 of DV (`.aedat4`): the events of one of its event streams.

A line `#!AER-DAT4.0`, a flatbuffer that describes the streams, then packets of events, frames, inertial samples and
triggers, packed with LZ4 or Zstandard. iniVation, "AEDAT 4 file format". faery's decoder is not taken: where a packet is
earlier than the one before, it gives all its events the last time of that one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from eventbench.errors import BadRecording
from eventbench.files.progress import Progress, no_progress
from eventbench.sources._aedat.aedat4_file import Aedat4File, checked, looked_through, packets_between
from eventbench.sources._aedat.aedat4_kernels import EVENT_BYTES, content_sizes
from eventbench.sources._aedat.aedat4_packets import PacketEvents, events_of
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
    how_to_set,
    smallest_sensor,
)

OTHER_KINDS = {"FRME": "frames", "IMUS": "inertial samples", "TRIG": "triggers"}


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
        return self._decoded(np.frombuffer(data, np.uint8), name, sensor)

    def read_counted(self, recording: Path | str, sensor: tuple[int, int] | None = None) -> Decoded:
        """As `decode_counted`, of a file."""
        return self._decoded(whole_file(Path(recording)), str(recording), sensor)

    def _decoded(self, data: np.ndarray, name: str, sensor: tuple[int, int] | None) -> Decoded:
        file = checked(data, name)
        chosen, notes = self._chosen_of(file, name)
        events = events_of(data, file.packets_of(chosen), file.compression, name)
        size = sensor or file.streams[chosen].size or smallest_sensor(events.x, events.y, name)
        if events.in_order and events.x.dtype == np.uint16 and fits(events.highest, size):
            return sound(events[:4], size, notes)
        return self.checked(events[:4], sensor=size, name=name, notes=notes)

    def scan(
        self, path: Path, sensor: tuple[int, int] | None = None, progress: Progress = no_progress
    ) -> Scan | None:
        """Where the packets of the stream lie, about PIECE_EVENTS events a piece; None for a file that is refused when read."""
        try:
            with opened(path) as on_disk:
                file = looked_through(on_disk)
                chosen, notes = self._chosen_of(file, on_disk.name)
                stretches = Stretches(sensor or file.streams[chosen].size, self.outside, sort=self.sort)
                for packets in _groups(on_disk, file.packets_of(chosen), file.compression, progress):
                    events = _events_of(on_disk, packets, file.compression)
                    place, state = (packets[0, 1], packets[-1, 2]), (chosen, file.compression)
                    stretches.take(events[:4], events.highest, events.in_order, place, state)
                    if not stretches.fine:
                        return None
                return stretches.scan(notes)
        except BadRecording:
            return None  # reading it whole says why, with the place in the file

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:
        """The events of the packets of a piece."""
        stream, compression = piece.state
        with opened(path) as on_disk:
            packets = packets_between(on_disk, piece.start, piece.stop)
            events = _events_of(on_disk, packets[packets[:, 0] == stream], compression)
        return within(events[:4], scan.sensor)

    def _chosen_of(self, file: Aedat4File, name: str) -> tuple[int, list[Note]]:
        """The stream to read, and notes on a cut and on what else is in the file."""
        notes = [self.cut_off(file.cut, name)] if file.cut else []
        chosen = self._chosen(file, name)
        notes += _other_streams(file, chosen) if self.stream is None else []
        return chosen, notes + _other_packets(file)

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


def _other_packets(file: Aedat4File) -> list[Note]:
    """A note on packets of frames and the like, by what is in them."""
    counts: dict[str, int] = {}
    for id, stream in sorted(file.streams.items()):
        if stream.kind != "EVTS" and (number := len(file.packets_of(id))):
            kind = OTHER_KINDS.get(stream.kind, f"type {stream.kind!r}")
            counts[kind] = counts.get(kind, 0) + number
    if not counts:
        return []
    listed = ", ".join(f"{counted(number, 'packet')} of {kind}" for kind, number in counts.items())
    return [Note("other_packets", f"{listed} beside the events: left out", sum(counts.values()))]


def _groups(file: File, packets: np.ndarray, compression: int, progress: Progress) -> Iterator[np.ndarray]:
    """Packets (packets, 3) in groups, each of which unpacks to about PIECE_EVENTS events."""
    first, events, sizes = 0, 0, np.empty(1, np.int64)
    shown = progress(packets.tolist(), of=file.name, unit="packet", total=len(packets))
    for k, (_, start, stop) in enumerate(shown):
        head = file.read(start, stop)
        _, total = content_sizes(head, np.array([[0, 0, len(head)]]), compression, sizes)
        events += max(int(total), 0) // EVENT_BYTES
        if events >= PIECE_EVENTS or k == len(packets) - 1:
            yield packets[first : k + 1]
            first, events = k + 1, 0


def _events_of(file: File, packets: np.ndarray, compression: int) -> PacketEvents:
    """The events of packets on the disk."""
    places = [(int(start), int(stop)) for _, start, stop in packets]
    ends = np.cumsum([0, *(stop - start for start, stop in places)])
    here = np.stack([packets[:, 0], ends[:-1], ends[1:]], axis=1)
    return events_of(file.read_parts(places), here, compression, file.name)
