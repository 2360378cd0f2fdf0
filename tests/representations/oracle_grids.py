"""Slow, obvious versions of binary frames, voxel grids and time surfaces: plain Python, one event after another."""

from __future__ import annotations

import math

import numpy as np

from eventbench.events import Events
from tests.representations import oracle_frames as oracle


def binary(events: Events, split_by: str, bins: int) -> tuple[np.ndarray, int]:
    """Zeros and ones (T, 2, H, W), and how many events are in no frame."""
    width, height = events.sensor
    seen = np.zeros((bins, 2, height, width), np.uint8)
    numbers, _ = oracle.frame_numbers(events.t.tolist(), split_by, bins)
    for k, p, y, x in zip(numbers, events.p.tolist(), events.y.tolist(), events.x.tolist(), strict=True):
        if k is not None:
            seen[k, p, y, x] = 1
    return seen, numbers.count(None)


def voxel_grid(events: Events, bins: int, polarity: str, edges: str) -> tuple[np.ndarray, int]:
    """Shares float64 (B, C, H, W), exact but for one rounding of each sum, and how many events are on no plane."""
    width, height = events.sensor
    t = events.t.tolist()
    span = (t[-1] - t[0] if t else 0) or 1
    times = bins if edges == "tonic" else bins - 1
    # Every share is a whole number of parts, span of them to an event: Python's integers add them up exactly.
    parts: dict[tuple[int, int, int, int], int] = {}
    lost = 0
    for time, p, y, x in zip(t, events.p.tolist(), events.y.tolist(), events.x.tolist(), strict=True):
        lower, right = divmod(times * (time - t[0]), span)
        if lower >= bins:
            lost += 1
            continue
        sign, channel = (2 * p - 1, 0) if polarity == "signed" else (1, p)
        for plane, share in ((lower, span - right), (lower + 1, right)):
            if plane < bins:
                cell = (plane, channel, y, x)
                parts[cell] = parts.get(cell, 0) + sign * share
    grid = np.zeros((bins, 1 if polarity == "signed" else 2, height, width))
    for cell, total in parts.items():
        grid[cell] = total / span
    return grid, lost


def time_surface(
    events: Events, split_by: str, parameter: int, tau_us: float, decay: str
) -> tuple[np.ndarray, int]:
    """Decay float64 (T, 2, H, W) since each cell's latest event, and how many events are in no slice."""
    width, height = events.sensor
    t = events.t.tolist()
    span = t[-1] - t[0] if t else 0
    numbers, steps = oracle.frame_numbers(t, split_by, parameter)
    length = span // parameter if split_by == "time" else parameter
    columns = list(zip(numbers, t, events.p.tolist(), events.y.tolist(), events.x.tolist(), strict=True))
    surfaces = np.zeros((steps, 2, height, width))
    for k in range(steps):
        end = span if split_by == "time" and k == steps - 1 else (k + 1) * length
        for number, time, p, y, x in columns:
            if number is not None and number <= k:
                since = (end - (time - t[0])) / tau_us
                surfaces[k, p, y, x] = math.exp(-since) if decay == "exp" else max(0.0, 1 - since)
    return surfaces, numbers.count(None)
