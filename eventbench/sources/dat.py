"""Prophesee DAT (`.dat`), versions 1 and 2, event types 0 and 12: N-CARS.

Header lines of `%` (in version 1 without an end), two bytes (event type, size of an event), then events of 8 bytes,
little-endian: uint32 time in microseconds and uint32 x (14 bits), y (14), polarity (4). In type 0, "2D", the ATIS
layout, x has 9 bits, y 8, and bit 17 is the polarity. Prophesee, "DAT file format".
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.errors import BadEvents, BadRecording
from eventbench.events import Events
from eventbench.sources._percent_header import percent_header
from eventbench.sources.base import Source, smallest_sensor

EVENT_BYTES = 8
# Event type -> (mask of x, shift and mask of y, shift and mask of polarity).
FIELDS = {0: (0x1FF, 9, 0xFF, 17, 0x1), 12: (0x3FFF, 14, 0x3FFF, 28, 0xF)}


class Dat(Source, frozen=True, forbid_unknown_fields=True):
    """Decoder of DAT. A step back of more than 2**31 us is the 32-bit clock that wrapped.

    Where the header does not give the sensor's size, it is the smallest that holds every event.
    """

    version: ClassVar[int] = 1
    suffixes: ClassVar[tuple[str, ...]] = (".dat",)
    magics: ClassVar[tuple[bytes, ...]] = (b"% Data file containing", b"% Version ", b"% Height ")

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether lines of `%` are followed by a known event type and the size of its events, and name no other encoding."""
        header = percent_header(data)
        named = any(line.lower().startswith(("evt ", "format ")) for line in header.lines)
        head = data[header.end : header.end + 2]
        return (
            bool(header.lines)
            and not named
            and len(head) == 2
            and head[0] in FIELDS
            and head[1] == EVENT_BYTES
        )

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in `data`. Raises BadRecording for other event types, and where the events are cut off."""
        header = percent_header(data)
        head = data[header.end : header.end + 2]
        if not header.lines or len(head) < 2 or head[0] not in FIELDS or head[1] != EVENT_BYTES:
            raise BadRecording(
                f"after {len(header.lines)} header lines come the bytes {list(head)}",
                where=name,
                allowed="event type 0 or 12, then 8, the bytes of an event",
            )
        start = header.end + 2
        events, rest = divmod(len(data) - start, EVENT_BYTES)
        if rest:
            raise BadRecording(
                f"truncated: {events:,} events and {rest} bytes more",
                where=name,
                allowed=f"events of {EVENT_BYTES} bytes",
                fix="fetch the file again",
            )
        words = np.frombuffer(data, "<u4", 2 * events, start).reshape(-1, 2)
        clock, word = words[:, 0].astype(np.int64), words[:, 1]
        x_mask, y_shift, y_mask, p_shift, p_mask = FIELDS[head[0]]
        x, y = (word & x_mask).astype(np.uint16), (word >> y_shift & y_mask).astype(np.uint16)
        p = (word >> p_shift & p_mask).astype(np.uint8)
        if len(clock) > 1:
            clock[1:] += np.cumsum(np.diff(clock) < -(2**31)) * 2**32
        try:
            return Events(
                t=clock, x=x, y=y, p=p, sensor=sensor or header.size() or smallest_sensor(x, y, name)
            )
        except BadEvents as error:
            raise BadRecording(str(error), where=name) from None
