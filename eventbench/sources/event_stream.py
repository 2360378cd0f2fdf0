"""Event Stream (`.es`): version 2.0 of DVS events; POKER-DVS as it was published.

Twelve bytes `Event Stream`, three of the version, one of the event type (1 is DVS), width and height (uint16 each), then
events: a byte of the time since the one before (7 bits) and the polarity (the lowest), x and y (uint16 each). A byte 0xFF
instead of one says that 127 us went by, 0xFE says nothing. y counts from the bottom in the file. Open Neuromorphic, "Event Stream specification".
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.errors import BadRecording
from eventbench.files.content import file_head, file_open, read_into
from eventbench.files.progress import Progress, no_progress
from eventbench.sources.base import (
    ONE_BIT,
    PIECE_EVENTS,
    Columns,
    Decoded,
    Documentation,
    Piece,
    RawColumns,
    Scan,
    Size,
    Source,
)

TYPES = {0: "generic", 1: "DVS", 2: "ATIS", 3: "ATIS, asynchronous", 4: "colour"}
HEAD_BYTES, EVENT_BYTES = 20, 5
LATER, NOTHING = 0xFF, 0xFE
LATER_US = 127


@njit(cache=True, nogil=True)
def _decode(data, at, now, t, x, y, p):  # type: ignore[no-untyped-def]
    """(events, byte after the last whole one, time there) of those from byte `at` and time `now` on, as many as t has room for."""
    n, end = 0, data.shape[0]
    while at < end and n < t.shape[0]:
        byte = np.int64(data[at])
        if byte >= NOTHING:
            now += LATER_US if byte == LATER else 0
            at += 1
            continue
        if at + EVENT_BYTES > end:
            break
        now += byte >> 1
        t[n], p[n] = now, byte & 1
        x[n] = np.int64(data[at + 1]) | np.int64(data[at + 2]) << 8
        y[n] = np.int64(data[at + 3]) | np.int64(data[at + 4]) << 8
        n += 1
        at += EVENT_BYTES
    return n, at, now


class EventStream(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of Event Stream files that hold DVS events; y comes out counted from the top."""

    version: ClassVar[int] = 2
    about: ClassVar[Documentation] = Documentation(
        what="Event Stream 2.0 of DVS events: POKER-DVS as it was published",
        recognised="the first bytes `Event Stream`",
        sensor="the header",
        unit="us",
        polarity="1 is ON",
        traps=(
            "y counts from the bottom in the file and comes out from the top. A file that is cut off is refused, where "
            "other readers end without a word. Streams of other events (ATIS, colour) are refused by name."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".es",)
    magics: ClassVar[tuple[bytes, ...]] = (b"Event Stream",)

    def decode_counted(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording for another version, and events of another type than DVS."""
        own = _size(data, name)
        raw = np.frombuffer(data, np.uint8, offset=HEAD_BYTES)
        (t, x, y, p), at, _ = _columns(raw, 0, own[1])
        notes = []
        if rest := len(raw) - at:
            notes = [self.cut_off(f"{len(t):,} events and {rest} bytes more", name, "whole events")]
        return self.checked((t, x, y, p), sensor=sensor or own, name=name, notes=notes)

    def scan(self, path: Path, sensor: Size | None = None, progress: Progress = no_progress) -> Scan | None:
        """Pieces of bytes, the time before each as its state; None for a file that is cut off or leaves the sensor."""
        head, size = file_head(path, HEAD_BYTES)
        own = _size(head, str(path))
        width, height = sensor or own
        pieces: list[Piece] = []
        at, now, step = HEAD_BYTES, 0, PIECE_EVENTS * EVENT_BYTES
        blocks = range(-(-(size - at) // step))
        with file_open(path) as file:
            for _ in progress(blocks, of=path.name, unit="piece", total=len(blocks)):
                data = np.empty(min(step + EVENT_BYTES, size - at), np.uint8)
                read_into(file, data, at, str(path))
                (t, x, y, _), took, later = _columns(data, now, own[1])
                if at + len(data) == size and took < len(data):
                    return None
                if len(t):
                    if x.max() >= width or y.max() >= height or y.min() < 0:
                        return None
                    pieces.append(Piece(at, at + took, len(t), int(t[0]), int(t[-1]), (now, own[1])))
                at, now = at + took, later
        return Scan((width, height), pieces) if at == size else None

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:  # noqa: ARG002  # the piece says all
        """The events of a piece."""
        data = np.empty(piece.stop - piece.start, np.uint8)
        with file_open(path) as file:
            read_into(file, data, piece.start, str(path))
        now, height = piece.state
        (t, x, y, p), _, _ = _columns(data, now, height)
        return t, x, y.astype(np.uint16), p

    def states_sensor(self, data: bytes) -> bool:  # noqa: ARG002  # whatever is in it
        """Always: the header has it."""
        return True

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT


def _size(head: bytes, name: str) -> Size:
    """The sensor's (width, height). Raises BadRecording for another version, and events of another type than DVS."""
    kind = head[15] if len(head) > 15 else None
    if kind != 1 or len(head) < HEAD_BYTES:
        state = (
            "cut off in its header"
            if kind is None or kind == 1
            else f"of {TYPES.get(kind, f'unknown type {kind}')} events"
        )
        raise BadRecording(f"an event stream {state}", where=name, allowed="DVS events, type 1")
    if head[12] != 2:
        version = ".".join(map(str, head[12:15]))
        raise BadRecording(f"version {version} of the format", where=name, allowed="2.0")
    return int.from_bytes(head[16:18], "little"), int.from_bytes(head[18:20], "little")


def _columns(data: np.ndarray, now: int, height: int) -> tuple[Columns, int, int]:
    """The columns t, x, y, p of uint8 (bytes,), y from the top; the byte after the last whole event, and the time there."""
    most = len(data) // EVENT_BYTES
    t, x, y, p = (np.empty(most, kind) for kind in (np.int64, np.uint16, np.int64, np.uint8))
    n, at, later = _decode(data, 0, np.int64(now), t, x, y, p)
    return (t[:n], x[:n], height - 1 - y[:n], p[:n]), at, later
