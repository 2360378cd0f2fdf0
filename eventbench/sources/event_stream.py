"""Event Stream (`.es`): version 2.0 of DVS events; POKER-DVS as it was published.

Twelve bytes `Event Stream`, three of the version, one of the event type (1 is DVS), width and height (uint16 each), then
events: a byte of the time since the one before (7 bits) and the polarity (the lowest), x and y (uint16 each). A byte 0xFF
instead of one says that 127 us went by, 0xFE says nothing. y counts from the bottom in the file. Open Neuromorphic, "Event Stream specification".
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit

from eventbench.errors import BadRecording
from eventbench.sources.base import ONE_BIT, Decoded, Documentation, RawColumns, Source

TYPES = {0: "generic", 1: "DVS", 2: "ATIS", 3: "ATIS, asynchronous", 4: "colour"}
HEAD_BYTES, EVENT_BYTES = 20, 5
LATER, NOTHING = 0xFF, 0xFE
LATER_US = 127


@njit(cache=True, nogil=True)
def _decode(data, t, x, y, p):  # type: ignore[no-untyped-def]
    """(events, bytes of the last one, which is cut off, or 0)."""
    n, at, now, end = 0, 0, np.int64(0), data.shape[0]
    while at < end:
        byte = np.int64(data[at])
        if byte >= NOTHING:
            now += LATER_US if byte == LATER else 0
            at += 1
            continue
        if at + EVENT_BYTES > end:
            return n, end - at
        now += byte >> 1
        t[n], p[n] = now, byte & 1
        x[n] = np.int64(data[at + 1]) | np.int64(data[at + 2]) << 8
        y[n] = np.int64(data[at + 3]) | np.int64(data[at + 4]) << 8
        n += 1
        at += EVENT_BYTES
    return n, 0


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
        kind = data[15] if len(data) > 15 else None
        if kind != 1 or len(data) < HEAD_BYTES:
            state = (
                "cut off in its header"
                if kind is None or kind == 1
                else f"of {TYPES.get(kind, f'unknown type {kind}')} events"
            )
            raise BadRecording(f"an event stream {state}", where=name, allowed="DVS events, type 1")
        if data[12] != 2:
            version = ".".join(map(str, data[12:15]))
            raise BadRecording(f"version {version} of the format", where=name, allowed="2.0")
        own = int.from_bytes(data[16:18], "little"), int.from_bytes(data[18:20], "little")
        raw = np.frombuffer(data, np.uint8, offset=HEAD_BYTES)
        most = len(raw) // EVENT_BYTES
        t, x, y, p = (np.empty(most, kind) for kind in (np.int64, np.uint16, np.int64, np.uint8))
        n, rest = _decode(raw, t, x, y, p)
        notes = []
        if rest:
            notes = [self.cut_off(f"{n:,} events and {rest} bytes more", name, "whole events")]
        y = own[1] - 1 - y[:n]
        return self.checked((t[:n], x[:n], y, p[:n]), sensor=sensor or own, name=name, notes=notes)

    def states_sensor(self, data: bytes) -> bool:  # noqa: ARG002  # whatever is in it
        """Always: the header has it."""
        return True

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT
