"""ATIS 40-bit events (`.bin`, `.bs2`): N-MNIST, N-Caltech101.

Five bytes an event, big-endian: x (8 bits), y (8), polarity (1), time in microseconds (23). y = 240 marks
a timestamp overflow: 2^13 us are added from there on, and the marker is no event (Orchard et al. 2015,
"Converting static image datasets to spiking neuromorphic datasets using saccades").
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events import EventBatch, Events
from eventbench.events.memory import memory
from eventbench.files.content import OPEN, file_bytes, file_open, file_size, read_into
from eventbench.files.progress import Progress, no_progress
from eventbench.sources._atis_kernels import EVENT_BYTES, OVERFLOW_US, OVERFLOW_Y, decode_files
from eventbench.sources.base import (
    GIVE_SENSOR,
    ONE_BIT,
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
    Told,
    smallest_sensor,
    unheard,
)

LOOKED_AT = 5000  # bytes that tell whether a file without a header is of this format
SHORT = 1 << 20  # bytes of a file that is read sooner than a large buffer is got
AT_ONCE = 1 << 22  # bytes of a buffer, half of which is asked of the system at a time


class AtisBin(Source, frozen=True, forbid_unknown_fields=True):
    """Decoder of the 40-bit format. The files do not say how large the sensor is."""

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="ATIS, 40 bits an event: N-MNIST, N-Caltech101",
        recognised=(
            "no header: whole events of 5 bytes whose times do not step back at the beginning; then the "
            "ending"
        ),
        sensor="not in the file: the card, `sensor=`, or the smallest that holds every event",
        unit="us",
        polarity="bit 23, 1 is ON",
        traps=(
            "y = 240 is no event but marks a timestamp overflow, 2^13 us from there on: readers that take it "
            "for an event give other events and other times."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".bin", ".bs2")

    @classmethod
    def resembles(cls, data: bytes, size: int | None = None) -> bool:
        """Whether it is of whole events whose times, at the beginning, do not step back: no other bytes are likely to be."""
        if (size or len(data)) % EVENT_BYTES or len(data) < 10 * EVENT_BYTES:
            return False
        head = np.frombuffer(data[:LOOKED_AT], np.uint8)
        *_, notes = decode_files(head, np.array([len(head)]))
        return not notes[0, 2]

    def decode_counted(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording where the bytes are no whole number of events."""
        return self._decoded(np.frombuffer(data, np.uint8), name, sensor)

    def read_counted(self, recording: Path | str, sensor: tuple[int, int] | None = None) -> Decoded:
        """As `decode_counted`, of a file."""
        try:
            size = os.stat(recording).st_size  # noqa: PTH116  # a tenth of the time of Path.stat
        except OSError:
            size = 0
        if size < SHORT:
            raw = np.frombuffer(file_bytes(recording), np.uint8)
        else:
            raw, _ = _all_bytes([recording], size + AT_ONCE)
        return self._decoded(raw, str(recording), sensor)

    def _decoded(self, raw: np.ndarray, name: str, sensor: tuple[int, int] | None) -> Decoded:
        whole, rest = divmod(len(raw), EVENT_BYTES)
        cut: list[Note] = []
        if rest:
            what = f"{len(raw)} bytes are {whole} events and {rest} bytes more"
            cut = [self.cut_off(what, name, f"a multiple of {EVENT_BYTES} bytes")]
            raw = raw[:-rest]
        t, x, y, p, _, notes = decode_files(raw, np.array([len(raw)]))
        if sensor is None:
            sensor = smallest_sensor(x, y, name)
        most_x, most_y, back = notes[0].tolist()
        if most_x < sensor[0] <= 65536 and most_y < sensor[1] <= 65536 and not back and not cut:
            return Decoded(Events.trusted(t, x, y, p, sensor))
        return self.checked((t, x, y, p), sensor=sensor, name=name, notes=cut)

    def decode_many(
        self, paths: Sequence[Path | str], sensor: Size | None = None, told: Told = unheard
    ) -> EventBatch:
        """As `decode` of each, in one pass over one buffer: most of a short file's time is opening and closing it."""
        if self.changes_events:
            return super().decode_many(paths, sensor, told)
        raw, ends = _all_bytes(paths)
        if (cut := np.diff(ends, prepend=0) % EVENT_BYTES > 0).any():
            self.read(paths[int(np.argmax(cut))], sensor)  # says where
        t, x, y, p, offsets, notes = decode_files(raw, ends)
        if sensor is None:
            if not len(t):
                raise BadRecording("no event to tell the sensor size from", fix=GIVE_SENSOR)
            sensor = int(notes[:, 0].max()) + 1, int(notes[:, 1].max()) + 1
        Events.empty(sensor)  # which refuses what is no sensor
        wrong = (notes[:, 0] >= sensor[0]) | (notes[:, 1] >= sensor[1]) | (notes[:, 2] > 0)
        if wrong.any():
            self.read(paths[int(np.argmax(wrong))], sensor)  # says what is wrong with it
        return EventBatch(t, x, y, p, offsets, sensor)

    def scan(self, path: Path, sensor: Size | None = None, progress: Progress = no_progress) -> Scan | None:
        """Pieces of words, what overflows add before each as its state; None where more than a look is needed."""
        size = file_size(path)
        if size % EVENT_BYTES:
            return None
        pieces: list[Piece] = []
        added = most_x = most_y = last = 0
        starts = range(0, size, PIECE_EVENTS * EVENT_BYTES)
        with file_open(path) as file:
            for start in progress(starts, of=path.name, unit="piece", total=len(starts)):
                stop = min(start + PIECE_EVENTS * EVENT_BYTES, size)
                data = np.empty(stop - start, np.uint8)
                read_into(file, data, start, str(path))
                t, *_, notes = decode_files(data, np.array([len(data)]))
                x, y, back = notes[0].tolist()
                if back or (len(t) and t[0] + added < last):
                    return None
                most_x, most_y = max(most_x, x), max(most_y, y)
                if len(t):
                    last = int(t[-1]) + added
                    pieces.append(Piece(start, stop, len(t), int(t[0]) + added, last, (added,)))
                added += OVERFLOW_US * (len(data) // EVENT_BYTES - len(t))
        width, height = sensor or (most_x + 1, most_y + 1)
        inside = pieces and most_x < width <= 65536 and most_y < height <= 65536
        return Scan((width, height), pieces) if inside else None

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:  # noqa: ARG002  # the piece says all
        """The events of a piece."""
        data = np.empty(piece.stop - piece.start, np.uint8)
        with file_open(path) as file:
            read_into(file, data, piece.start, str(path))
        t, x, y, p, *_ = decode_files(data, np.array([len(data)]))
        return t + piece.state[0], x, y, p

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns of the whole events, each overflow marker taken out and its time added."""
        words = np.frombuffer(data, np.uint8, len(data) // EVENT_BYTES * EVENT_BYTES).reshape(-1, EVENT_BYTES)
        marks = words[:, 1] == OVERFLOW_Y
        x, y, high, middle, low = words[~marks].astype(np.int64).T
        t = ((high & 0x7F) << 16 | middle << 8 | low) + np.cumsum(marks)[~marks] * OVERFLOW_US
        p = (high >> 7).astype(np.uint8)
        return RawColumns(t, x, y, p, overflow_markers=int(marks.sum()), clock_us=1 << 23)

    def raw_pieces(self, path: Path) -> Iterator[RawColumns]:
        """The same, PIECE_EVENTS words at a time."""
        size = file_size(path)
        markers, whole = 0, size - size % EVENT_BYTES
        with file_open(path) as file:
            for start in range(0, whole, PIECE_EVENTS * EVENT_BYTES):
                data = np.empty(min(PIECE_EVENTS * EVENT_BYTES, whole - start), np.uint8)
                read_into(file, data, start, str(path))
                raw = self.raw_columns(data.tobytes())
                yield raw._replace(t=raw.t + markers * OVERFLOW_US)
                markers += raw.overflow_markers

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT


def _all_bytes(paths: Sequence[Path | str], room: int = AT_ONCE) -> tuple[np.ndarray, np.ndarray]:
    """The files' bytes end to end, and where each ends. Raises BadRecording as `file_bytes` does.

    A file is read until nothing comes any more: asking for its size first takes longer, and it may be another by then.
    `room` is how many bytes are expected, and AT_ONCE more.
    """
    buffer, ends = memory(room), [0]
    view = memoryview(buffer)  # type: ignore[arg-type]
    for path in paths:
        start = at = ends[-1]
        try:
            file = os.open(path, OPEN)
            try:
                while got := os.readv(file, [view[at : at + AT_ONCE // 2]]):
                    at += got
                    if len(buffer) - at < AT_ONCE // 2:
                        needed = start + os.fstat(file).st_size + AT_ONCE
                        full, buffer = buffer, memory(max(2 * len(buffer), needed))
                        buffer[:at] = full[:at]
                        view = memoryview(buffer)  # type: ignore[arg-type]
            finally:
                os.close(file)
        except OSError:
            at = start
        if at == start:
            file_bytes(Path(path))  # says what is wrong with it
            raise BadRecording("the file changed while it was read", where=path, fix="run the command again")
        ends.append(at)
    return buffer[: ends[-1]], np.array(ends[1:], np.int64)
