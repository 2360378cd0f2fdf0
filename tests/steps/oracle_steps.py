"""Slow, obvious versions of the steps: plain Python, one event after another; each gives the numbers of the events kept."""

from __future__ import annotations

from eventbench.events import Events


def rows(events: Events) -> list[tuple[int, int, int, int]]:
    """(t, x, y, p) of every event."""
    return list(zip(events.t.tolist(), events.x.tolist(), events.y.tolist(), events.p.tolist(), strict=True))


def denoise(events: Events, within: int, neighbours: int) -> list[int]:
    last: dict[tuple[int, int], int] = {}
    remaining = []
    for i, (t, x, y, _) in enumerate(rows(events)):
        near = [
            last[x + a, y + b]
            for a in (-1, 0, 1)
            for b in (-1, 0, 1)
            if (a or b) and (neighbours == 8 or not (a and b)) and (x + a, y + b) in last
        ]
        if any(t - then < within for then in near):
            remaining.append(i)
        last[x, y] = t
    return remaining


def refractory_period(events: Events, period: int, since_any: bool) -> list[int]:
    last: dict[tuple[int, int], int] = {}
    remaining = []
    for i, (t, x, y, _) in enumerate(rows(events)):
        keep = (x, y) not in last or t - last[x, y] > period
        if keep:
            remaining.append(i)
        if keep or since_any:
            last[x, y] = t
    return remaining


def decimate(events: Events, n: int) -> list[int]:
    seen: dict[tuple[int, int], int] = {}
    remaining = []
    for i, (_, x, y, _) in enumerate(rows(events)):
        seen[x, y] = seen.get((x, y), 0) + 1
        if seen[x, y] % n == 0:
            remaining.append(i)
    return remaining


def downsample_events(events: Events, factor: int, threshold: int) -> list[int]:
    sums: dict[tuple[int, int], int] = {}
    remaining = []
    for i, (_, x, y, p) in enumerate(rows(events)):
        cell = (x // factor, y // factor)
        sums[cell] = sums.get(cell, 0) + (1 if p else -1)
        if abs(sums[cell]) == threshold:
            remaining.append(i)
            sums[cell] = 0
    return remaining
