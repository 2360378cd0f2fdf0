"""Recordings for hypothesis: ordinary ones, and those on which frame code is known to break."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from eventbench.events import Events

# The last has over 2**15 pixels: its addresses need more than 16 bits.
SENSORS = [(1, 1), (4, 3), (7, 2), (34, 34), (257, 129)]


@st.composite
def times(draw: st.DrawFn, n: int) -> np.ndarray:
    """int64 (n,), non-decreasing: spread, all at one instant, or with gaps of 2**31 us and far more."""
    start = draw(st.sampled_from([0, 1, -5, 10**15, -(2**61)]))
    longest = draw(st.sampled_from([0, 1, 3, 1000, 2**31 - 1, 2**31, 2**33]))
    gaps = draw(st.lists(st.integers(0, longest), min_size=n, max_size=n))
    if n and draw(st.booleans()):
        gaps[draw(st.integers(0, n - 1))] += longest
    return start + np.cumsum(np.array(gaps, np.int64))


@st.composite
def recordings(draw: st.DrawFn, most: int = 40, least: int = 0) -> Events:
    """Up to `most` events, sometimes each many times over, so that counts pass 255; edges of the sensor are likely."""
    sensor = draw(st.sampled_from(SENSORS))
    n = draw(st.integers(least, most))
    copies = draw(st.sampled_from([1, 1, 1, 130, 256]))

    def column(top: int) -> np.ndarray:
        values = st.one_of(st.sampled_from([0, top]), st.integers(0, top))
        return np.array(draw(st.lists(values, min_size=n, max_size=n)), np.int64)

    columns = [draw(times(n)), column(sensor[0] - 1), column(sensor[1] - 1), column(1)]
    t, x, y, p = (np.repeat(values, copies) for values in columns)
    return Events(t=t, x=x, y=y, p=p, sensor=sensor)


def fixed(n: int = 5003, sensor: tuple[int, int] = (40, 30)) -> Events:
    """One recording, the same for ever: no random generator that a new release could change.

    A third of its events are OFF at the first pixel, so that few frames of uint8 saturate there.
    """
    i = np.arange(n, dtype=np.int64)
    mixed = (i * 2654435761 + (i * i) % 1000003 * 40503) % 2**32
    spread = i % 3 > 0
    return Events(
        t=np.cumsum(mixed % 97),
        x=(mixed >> 7) % sensor[0] * spread,
        y=(mixed >> 13) % sensor[1] * spread,
        p=(mixed >> 19) % 2 * spread,
        sensor=sensor,
    )
