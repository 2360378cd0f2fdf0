"""Events as compact columns, the form a store keeps them in: address and time difference, 4 to 6 bytes an event."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from eventbench.events.events import Events

LONG = 65535  # this difference, or more, stands in the side table


class PackedEvents(NamedTuple):
    """A recording, nothing of it lost; LAYOUT.md says what the columns hold.

    address : uint16, uint32 or uint64 (events,), (p * height + y) * width + x: the event's cell in a frame (P, H, W)
    dt : uint16 (events,), microseconds since the event before, or LONG where the difference is in the side table
    long_row, long_dt : int64 (long differences,), number of the event, and its difference in microseconds
    start_us : time of the first event, 0 where there is none
    """

    start_us: int
    address: np.ndarray
    dt: np.ndarray
    long_row: np.ndarray
    long_dt: np.ndarray
    sensor: tuple[int, int]

    @classmethod
    def of(cls, events: Events) -> PackedEvents:
        """The columns of some events."""
        n = len(events)
        address, dt = np.empty(n, address_dtype(events.sensor)), np.empty(n, "<u2")
        long_row, long_dt = np.empty(16, "<i8"), np.empty(16, "<i8")
        columns = (events.t, events.x, events.y, events.p, *events.sensor)
        longs = _encode(*columns, address, dt, long_row, long_dt)
        if longs > len(long_row):
            long_row, long_dt = np.empty(longs, "<i8"), np.empty(longs, "<i8")
            _encode(*columns, address, dt, long_row, long_dt)
        start_us = int(events.t[0]) if n else 0
        return cls(start_us, address, dt, long_row[:longs], long_dt[:longs], events.sensor)

    def events(self) -> Events:
        """The events these are the columns of."""
        n = len(self.dt)
        t, x, y, p = (
            np.empty(n, np.int64),
            np.empty(n, np.uint16),
            np.empty(n, np.uint16),
            np.empty(n, np.uint8),
        )
        _decode(self.start_us, self.address, self.dt, self.long_dt, *self.sensor, t, x, y, p)
        return Events.trusted(t, x, y, p, self.sensor)


def address_dtype(sensor: tuple[int, int]) -> np.dtype:
    """The smallest unsigned type that holds every (p, y, x) of a (width, height) sensor."""
    cells = 2 * sensor[0] * sensor[1]
    return np.dtype("<u2" if cells <= 1 << 16 else "<u4" if cells <= 1 << 32 else "<u8")


@njit(cache=True, nogil=True)
def _encode(t, x, y, p, width, height, address, dt, long_row, long_dt):  # type: ignore[no-untyped-def]
    longs = 0
    plane = np.uint64(width) * np.uint64(height)
    wide = np.uint64(width)
    before = t[0] if len(t) else 0
    for i in range(len(t)):
        address[i] = np.uint64(p[i]) * plane + np.uint64(y[i]) * wide + np.uint64(x[i])
        gap = t[i] - before
        before = t[i]
        if gap < 0 or gap >= LONG:  # a gap over 2^63 wraps to below zero and back when it is added
            dt[i] = LONG
            if longs < len(long_row):
                long_row[longs] = i
                long_dt[longs] = gap
            longs += 1
        else:
            dt[i] = gap
    return longs


@njit(cache=True, nogil=True)
def _decode(start, address, dt, long_dt, width, height, t, x, y, p):  # type: ignore[no-untyped-def]
    now = start
    longs = 0
    plane = np.uint64(width) * np.uint64(height)
    wide = np.uint64(width)
    for i in range(len(dt)):
        gap = np.int64(dt[i])
        if gap == LONG:
            gap = long_dt[longs]
            longs += 1
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
