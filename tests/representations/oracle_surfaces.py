"""Slow, obvious versions of the representations that keep time: plain Python, one event after another."""

from __future__ import annotations

import math

import numpy as np

from eventbench.events import Events
from tests.steps.oracle_steps import rows


def averaged_time_surface(
    events: Events, cell_size: int, radius: int, window: int, tau: float, decay: str
) -> np.ndarray:
    """(cells_y, cells_x, 2, side, side): every event beside every earlier one, by the paper's definition."""
    cells_x, cells_y = (-(-length // cell_size) for length in events.sensor)
    surfaces = np.zeros((cells_y, cells_x, 2, 2 * radius + 1, 2 * radius + 1))
    counts = np.zeros((cells_y, cells_x))
    for t, x, y, p in rows(events):
        cell = (y // cell_size, x // cell_size)
        counts[cell] += 1
        for then, a, b, q in rows(events):
            near = abs(a - x) <= radius and abs(b - y) <= radius
            if near and q == p and (b // cell_size, a // cell_size) == cell and t - window <= then < t:
                age = t - then
                weight = math.exp(-age / tau) if decay == "exp" else max(0.0, 1 - age / (3 * tau))
                surfaces[(*cell, p, b - y + radius, a - x + radius)] += weight
    return surfaces / np.maximum(counts, 1)[:, :, None, None, None]


def stacked_histogram(events: Events, bins: int, cutoff: int) -> tuple[np.ndarray, int]:
    """(1, 2 * bins, H, W), and how many events were over the cutoff."""
    width, height = events.sensor
    counts = np.zeros((1, 2 * bins, height, width), np.int64)
    lost = 0
    for t, x, y, p in rows(events):
        since, span = t - int(events.t[0]), max(events.duration_us, 1)
        at = (0, p * bins + min(since * bins // span, bins - 1), y, x)
        if counts[at] == cutoff:
            lost += 1
        else:
            counts[at] += 1
    return counts, lost


def tore(events: Events, bins: int, depth: int, tau_min: int, tau_max: int) -> tuple[np.ndarray, int]:
    """(bins, 2 * depth, H, W), and how many events were pushed out before they were seen."""
    width, height = events.sensor
    most = math.log(tau_max + 1) - math.log(tau_min + 1)
    volume = np.full((bins, 2 * depth, height, width), most)
    seen: set[int] = set()
    each = events.duration_us // bins
    for k in range(bins):
        if not len(events):
            break
        last = k == bins - 1
        now = int(events.t[-1]) if last else int(events.t[0]) + (k + 1) * each
        queues: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
        for i, (t, x, y, p) in enumerate(rows(events)):
            if last or t < now:
                queues.setdefault((p, y, x), []).append((i, t))
        for (p, y, x), queue in queues.items():
            for j, (i, t) in enumerate(reversed(queue[-depth:])):
                seen.add(i)
                value = math.log(min(now - t, tau_max) + 1) - math.log(tau_min + 1)
                volume[k, p * depth + j, y, x] = max(value, 0)
    return volume, len(events) - len(seen)


def event_spike_tensor(events: Events, bins: int, kernel: str, measure: str, tau: float | None) -> np.ndarray:
    """(bins, 2, H, W): every event at every sampling time."""
    width, height = events.sensor
    tensor = np.zeros((bins, 2, height, width))
    span = events.duration_us
    for t, x, y, p in rows(events):
        since = t - int(events.t[0])
        place = since / max(span, 1)
        f = {"timestamp": place, "count": 1, "polarity": 1 if p else -1}[measure]
        for n in range(bins):
            if kernel == "trilinear":
                weight = max(0.0, 1 - abs(n - (bins - 1) * place))
            else:
                late = (n + 1) * span - since * bins  # bins times the age, in whole microseconds
                age = late / bins
                assert tau is not None
                weight = math.exp(-age / tau) if late >= 0 else 0.0
                if kernel == "alpha":
                    weight *= math.e * age / tau
            tensor[n, p, y, x] += f * weight
    return tensor


def bina_rep(binary: np.ndarray, bits: int) -> np.ndarray:
    """(T, P, H, W) from ones and zeros (T * bits, P, H, W), the earliest the highest bit."""
    steps = []
    for k in range(0, len(binary), bits):
        number = np.zeros(binary.shape[1:])
        for frame in binary[k : k + bits]:
            number = 2 * number + frame
        steps.append(number / (2**bits - 1))
    return np.stack(steps)
