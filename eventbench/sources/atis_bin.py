"""ATIS 40-bit events (`.bin`, `.bs2`): N-MNIST, N-Caltech101.

Five bytes an event, big-endian: x (8 bits), y (8), polarity (1), time in microseconds (23). y = 240 marks
a timestamp overflow: 2^13 us are added from there on, and the marker is no event (Orchard et al. 2015,
"Converting static image datasets to spiking neuromorphic datasets using saccades").
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.errors import BadEvents, BadRecording
from eventbench.events import Events
from eventbench.sources.base import Source, smallest_sensor

EVENT_BYTES = 5
OVERFLOW_Y = 240
OVERFLOW_US = 1 << 13


class AtisBin(Source, frozen=True, forbid_unknown_fields=True):
    """Decoder of the 40-bit format. The files do not say how large the sensor is."""

    version: ClassVar[int] = 1
    suffixes: ClassVar[tuple[str, ...]] = (".bin", ".bs2")

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in `data`. Raises BadRecording where the bytes are no whole number of events."""
        whole, rest = divmod(len(data), EVENT_BYTES)
        if rest:
            raise BadRecording(
                f"truncated: {len(data)} bytes are {whole} events and {rest} bytes more",
                where=name,
                allowed=f"a multiple of {EVENT_BYTES} bytes",
                fix="fetch the file again",
            )
        raw = np.frombuffer(data, np.uint8).reshape(whole, EVENT_BYTES)
        x, y = raw[:, 0], raw[:, 1]
        high = raw[:, 2]
        t = (
            ((high & 0x7F).astype(np.int64) << 16)
            | (raw[:, 3].astype(np.int64) << 8)
            | raw[:, 4].astype(np.int64)
        )
        p = high >> 7
        overflow = y == OVERFLOW_Y
        if overflow.any():
            t += np.cumsum(overflow) * OVERFLOW_US
            kept = ~overflow
            t, x, y, p = t[kept], x[kept], y[kept], p[kept]
        if sensor is None:
            sensor = smallest_sensor(x, y, name)
        try:
            return Events(t=t, x=x, y=y, p=p, sensor=sensor)
        except BadEvents as error:
            raise BadRecording(str(error), where=name) from None
