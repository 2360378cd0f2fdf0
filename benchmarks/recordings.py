"""Random recordings that several benchmarks use, as events and as rows of ATIS files."""

from __future__ import annotations

import numpy as np

from eventbench.events import Events


def random_events(
    n: int, width: int, height: int, *, duration_us: int = 5_000_000, hot: float = 0.0, seed: int = 7
) -> Events:
    """n events, uniform in time and position; a share `hot` of them at one pixel."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, width, n, np.uint16), rng.integers(0, height, n, np.uint16)
    if hot:
        at_hot_pixel = rng.random(n) < hot
        x[at_hot_pixel], y[at_hot_pixel] = width // 2, height // 2
    t = np.sort(rng.integers(0, duration_us, n))
    return Events(t=t, x=x, y=y, p=rng.integers(0, 2, n, np.uint8), sensor=(width, height))


def with_hot_pixels(events: Events, pixels: int = 20, share: float = 0.05) -> Events:
    """The events with a share of them moved to a few pixels, none of which is a neighbour of another."""
    width, height = events.sensor
    rng = np.random.default_rng(1)
    moved = rng.random(len(events)) < share
    which = rng.integers(0, pixels, int(moved.sum()))
    x, y = events.x.copy(), events.y.copy()
    x[moved], y[moved] = (which * 5 + 3) % width, (which * 6 + 3) % height
    return Events(t=events.t, x=x, y=y, p=events.p, sensor=events.sensor)


def atis_rows(t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Events as the 5 bytes each that an ATIS file has: uint8 (n, 5); t below 2^23 us, x and y below 256."""
    return np.stack([x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255], axis=1).astype(np.uint8)


def structured_int64(events: Events) -> np.ndarray:
    """Fields x, y, t, p, all int64, which tonic's functions need."""
    fields = ["x", "y", "t", "p"]
    return events.to_structured()[fields].astype([(name, "i8") for name in fields])
