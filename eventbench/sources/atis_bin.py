"""ATIS 40-bit events (`.bin`, `.bs2`): N-MNIST, N-Caltech101.

Five bytes an event, big-endian: x (8 bits), y (8), polarity (1), time in microseconds (23). y = 240 marks
a timestamp overflow: 2^13 us are added from there on, and the marker is no event (Orchard et al. 2015,
"Converting static image datasets to spiking neuromorphic datasets using saccades").
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.errors import BadEvents, BadRecording
from eventbench.event_batch import EventBatch
from eventbench.events import Events
from eventbench.sources.base import Source, file_bytes, smallest_sensor

EVENT_BYTES = 5
OVERFLOW_Y = 240
OVERFLOW_US = 1 << 13
LOOKED_AT = 5000  # bytes that tell whether a file without a header is of this format


@njit(cache=True, nogil=True)
def _fill(raw, ends, t, x, y, p, offsets, most):  # type: ignore[no-untyped-def]
    """Decode files laid end to end: file k ends at byte ends[k], its events at offsets[k+1].

    most[k] becomes the largest x and y of its events, and how often its time steps back.
    """
    n, at = 0, 0
    for k in range(ends.shape[0]):
        part = raw[at : ends[k]]
        at = ends[k]
        room = slice(n, n + part.shape[0] // EVENT_BYTES)
        if not _fill_unmarked(part, t[room], x[room], y[room], p[room]):
            n += _fill_marked(part, t[room], x[room], y[room], p[room])
        else:
            n += part.shape[0] // EVENT_BYTES
        offsets[k + 1] = n
        whole = slice(offsets[k], n)
        most[k, 0], most[k, 1], most[k, 2] = _largest(x[whole]), _largest(y[whole]), _steps_back(t[whole])


@njit(cache=True, nogil=True)
def _fill_unmarked(part, t, x, y, p):  # type: ignore[no-untyped-def]
    """Decode a file without overflow markers, field after field, which the compiler turns into SIMD; whether it is one."""
    marks = 0
    for i in range(y.shape[0]):
        y[i] = part[EVENT_BYTES * i + 1]
    for i in range(y.shape[0]):
        marks += y[i] == OVERFLOW_Y
    if marks:
        return False
    for i in range(x.shape[0]):
        x[i] = part[EVENT_BYTES * i]
    for i in range(p.shape[0]):
        p[i] = part[EVENT_BYTES * i + 2] >> np.uint8(7)
    for i in range(t.shape[0]):
        at = EVENT_BYTES * i
        high = np.int64(part[at + 2] & np.uint8(0x7F))
        t[i] = high << 16 | np.int64(part[at + 3]) << 8 | np.int64(part[at + 4])
    return True


@njit(cache=True, nogil=True)
def _fill_marked(part, t, x, y, p):  # type: ignore[no-untyped-def]
    """Decode any file, event after event; how many there are, markers left out."""
    n, added = 0, np.int64(0)
    for at in range(0, part.shape[0], EVENT_BYTES):
        row, high = part[at + 1], part[at + 2]
        if row == OVERFLOW_Y:
            added = np.int64(added + OVERFLOW_US)
            continue
        low = np.int64(part[at + 3]) << 8 | np.int64(part[at + 4])
        t[n] = added + (np.int64(high & np.uint8(0x7F)) << 16 | low)
        x[n], y[n], p[n] = part[at], row, high >> np.uint8(7)
        n += 1
    return n


@njit(cache=True, nogil=True)
def _largest(column):  # type: ignore[no-untyped-def]
    most = np.uint16(0)
    for i in range(column.shape[0]):
        most = max(most, column[i])
    return most


@njit(cache=True, nogil=True)
def _steps_back(t):  # type: ignore[no-untyped-def]
    found = 0
    for i in range(1, t.shape[0]):
        found += t[i] < t[i - 1]
    return found


class AtisBin(Source, frozen=True, forbid_unknown_fields=True):
    """Decoder of the 40-bit format. The files do not say how large the sensor is."""

    version: ClassVar[int] = 1
    suffixes: ClassVar[tuple[str, ...]] = (".bin", ".bs2")

    @classmethod
    def resembles(cls, data: bytes) -> bool:
        """Whether it is of whole events whose times, at the beginning, do not step back: no other bytes are likely to be."""
        if len(data) % EVENT_BYTES or len(data) < 10 * EVENT_BYTES:
            return False
        _, back = _decoded(np.frombuffer(data[:LOOKED_AT], np.uint8), np.array([min(len(data), LOOKED_AT)]))
        return not back[:, 2].any()

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in `data`. Raises BadRecording where the bytes are no whole number of events."""
        _refuse_part(len(data), name)
        batch, most = _decoded(np.frombuffer(data, np.uint8), np.array([len(data)]))
        columns = batch.t, batch.x, batch.y, batch.p
        if sensor is None:
            sensor = smallest_sensor(batch.x, batch.y, name)
        if most[0, 0] < sensor[0] and most[0, 1] < sensor[1] and not most[0, 2]:
            return Events.trusted(*columns, sensor)
        try:
            return Events(**dict(zip("txyp", columns, strict=True)), sensor=sensor)
        except BadEvents as error:
            raise BadRecording(str(error), where=name) from None

    def decode_many(self, paths: Sequence[Path], sensor: tuple[int, int] | None = None) -> EventBatch:
        """As `decode` of each, in one pass over one buffer: most of a short file's time is opening and closing it."""
        raw, ends = _all_bytes(paths)
        batch, most = _decoded(raw, ends)
        if sensor is None:
            if not len(batch.t):
                raise BadRecording("no event to tell the sensor size from", fix="give sensor=(width, height)")
            sensor = int(most[:, 0].max()) + 1, int(most[:, 1].max()) + 1
        wrong = (most[:, 0] >= sensor[0]) | (most[:, 1] >= sensor[1]) | (most[:, 2] > 0)
        wrong &= batch.lengths > 0
        if wrong.any():
            self.read(paths[int(np.argmax(wrong))], sensor)  # says what is wrong with it
        return EventBatch(batch.t, batch.x, batch.y, batch.p, batch.offsets, sensor)


def _decoded(raw: np.ndarray, ends: np.ndarray) -> tuple[EventBatch, np.ndarray]:
    """The events of files of whole events, on no sensor yet, and what `_fill` noted of each."""
    events = len(raw) // EVENT_BYTES
    t, x, y, p = (np.empty(events, kind) for kind in (np.int64, np.uint16, np.uint16, np.uint8))
    offsets, most = np.zeros(len(ends) + 1, np.int64), np.zeros((len(ends), 3), np.int64)
    _fill(raw, ends, t, x, y, p, offsets, most)
    n = int(offsets[-1])
    return EventBatch(t[:n], x[:n], y[:n], p[:n], offsets, (1, 1)), most


def _all_bytes(paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """The files' bytes end to end, and where each ends. Raises BadRecording as `file_bytes` and `decode` do."""
    sizes = [_size(path) for path in paths]
    ends = np.cumsum(sizes, dtype=np.int64)
    buffer = np.empty(sum(sizes), np.uint8)
    view, at = memoryview(buffer), 0  # type: ignore[arg-type]
    for path, size in zip(paths, sizes, strict=True):
        _refuse_part(size, str(path))
        file = os.open(path, os.O_RDONLY)
        try:
            got = os.readv(file, [view[at : at + size]])
        finally:
            os.close(file)
        if got != size:
            raise BadRecording("the file changed while it was read", where=path, fix="run the command again")
        at += size
    return buffer, ends


def _size(path: Path) -> int:
    try:
        seen = os.stat(path)  # noqa: PTH116  # a tenth of the time of Path.stat and is_file
        size = seen.st_size if stat.S_ISREG(seen.st_mode) else 0
    except OSError:
        size = 0
    return size or len(file_bytes(path))  # which says what is wrong with it


def _refuse_part(size: int, name: str) -> None:
    whole, rest = divmod(size, EVENT_BYTES)
    if rest:
        raise BadRecording(
            f"truncated: {size} bytes are {whole} events and {rest} bytes more",
            where=name,
            allowed=f"a multiple of {EVENT_BYTES} bytes",
            fix="fetch the file again",
        )
