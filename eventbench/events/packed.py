"""PackedEvents: a recording in the form of a store, the address and time difference of each event in 4 to 6 bytes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from eventbench.events.events import Events

LONG = 65535  # time differences of at least this are in the side table


class PackedEvents(NamedTuple):
    """A recording in compact columns, without loss; store/LAYOUT.md defines them.

    address : uint16, uint32 or uint64 (events,), (p * height + y) * width + x: the event's cell in a frame (P, H, W)
    dt : uint16 (events,), microseconds since the previous event, or LONG where the difference is in the side table
    long_row, long_dt : int64 (long differences,), the side table: index of an event and its difference in microseconds
    start_us : time of the first event, 0 if there is none
    sensor : (width, height)
    """

    start_us: int
    address: np.ndarray
    dt: np.ndarray
    long_row: np.ndarray
    long_dt: np.ndarray
    sensor: tuple[int, int]

    @classmethod
    def of(cls, events: Events) -> PackedEvents:
        """Pack the events of a recording."""
        n = len(events)
        address, dt = np.empty(n, address_dtype(events.sensor)), np.empty(n, "<u2")
        long_row, long_dt = np.empty(16, "<i8"), np.empty(16, "<i8")
        columns = (events.t, events.x, events.y, events.p, *events.sensor)
        long_count = _encode(*columns, address, dt, long_row, long_dt)
        if long_count > len(long_row):
            long_row, long_dt = np.empty(long_count, "<i8"), np.empty(long_count, "<i8")
            _encode(*columns, address, dt, long_row, long_dt)
        start_us = int(events.t[0]) if n else 0
        return cls(start_us, address, dt, long_row[:long_count], long_dt[:long_count], events.sensor)

    def events(self) -> Events:
        """Unpack to the same events."""
        n = len(self.dt)
        t, x, y, p = (
            np.empty(n, np.int64),
            np.empty(n, np.uint16),
            np.empty(n, np.uint16),
            np.empty(n, np.uint8),
        )
        _decode(self.start_us, self.address, self.dt, self.long_dt, *self.sensor, t, x, y, p)
        return Events.trusted(t, x, y, p, self.sensor)


def address_dtype(sensor: tuple[int, int]) -> np.dtype[Any]:
    """The smallest unsigned type that holds every (p, y, x) of a (width, height) sensor."""
    cells = 2 * sensor[0] * sensor[1]
    return np.dtype("<u2" if cells <= 1 << 16 else "<u4" if cells <= 1 << 32 else "<u8")


@njit(cache=True, nogil=True)
def _encode(t, x, y, p, width, height, address, dt, long_row, long_dt):  # type: ignore[no-untyped-def]
    """Fill address, dt and the side table as far as it has room. Returns the number of rows that the side table needs."""
    long_count = 0
    plane = np.uint64(width) * np.uint64(height)
    wide = np.uint64(width)
    previous = t[0] if len(t) else 0
    for i in range(len(t)):
        address[i] = np.uint64(p[i]) * plane + np.uint64(y[i]) * wide + np.uint64(x[i])
        gap = t[i] - previous
        previous = t[i]
        if gap < 0 or gap >= LONG:  # a gap of 2^63 or more wraps to a negative one, and back when it is added
            dt[i] = LONG
            if long_count < len(long_row):
                long_row[long_count] = i
                long_dt[long_count] = gap
            long_count += 1
        else:
            dt[i] = gap
    return long_count


@njit(cache=True, nogil=True)
def _decode(start, address, dt, long_dt, width, height, t, x, y, p):  # type: ignore[no-untyped-def]
    """Fill t, x, y and p from packed columns."""
    now = start
    long_count = 0
    plane = np.uint64(width) * np.uint64(height)
    wide = np.uint64(width)
    for i in range(len(dt)):
        gap = np.int64(dt[i])
        if gap == LONG:
            gap = long_dt[long_count]
            long_count += 1
        now += gap
        t[i] = now
        cell = np.uint64(address[i])
        on = cell >= plane
        if on:
            cell -= plane
        row = cell // wide
        y[i] = row
        x[i] = cell - row * wide
        p[i] = on
