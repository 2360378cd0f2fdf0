"""Slow, obvious versions of what the package does fast: plain Python, one event after another."""

from __future__ import annotations

import numpy as np

from eventbench.events import Events


def frame_numbers(  # noqa: C901  # a branch a rule
    t: list[int], split_by: str, parameter: int
) -> tuple[list[int | None], int]:
    """The frame each event belongs to (None: to none), and the number of frames."""
    n = len(t)
    since = [time - t[0] for time in t]
    span = since[-1] if n else 0
    if split_by in ("time", "spikingjelly_time"):
        width = span // parameter
        last = parameter - 1
        return [min(s // width, last) if width else last for s in since], parameter
    if split_by == "tonic_time":
        width = span // parameter
        return [s // width if width and s // width < parameter else None for s in since], parameter
    if split_by in ("count", "spikingjelly_count"):
        each = n // parameter
        last = parameter - 1
        return [min(i // each, last) if each else last for i in range(n)], parameter
    if split_by == "tonic_count":
        each = n // parameter
        return [i // each if each and i // each < parameter else None for i in range(n)], parameter
    if split_by == "duration":
        return [s // parameter for s in since], span // parameter + 1
    if split_by == "tonic_duration":
        frames = max(span // parameter, 1)
        return [s // parameter if s // parameter < frames else None for s in since], frames
    if split_by == "tonic_events":
        if n < parameter:
            return [0] * n, 1
        frames = n // parameter
        return [i // parameter if i // parameter < frames else None for i in range(n)], frames
    if split_by == "spikingjelly2_duration":
        frames = -(-span // parameter)
        return [min(s // parameter, frames - 1) for s in since], frames
    assert split_by == "spikingjelly_duration", split_by
    numbers: list[int | None] = []
    frame, start = -1, 0
    for time in t:
        if frame < 0 or time - start > parameter:
            frame, start = frame + 1, time
        numbers.append(frame)
    return numbers, frame + 1


def frames(events: Events, split_by: str, parameter: int, limit: int) -> tuple[np.ndarray, dict[str, int]]:
    """Counts int64 (T, 2, H, W), no cell over `limit`, and the events lost, by reason."""
    numbers, total = frame_numbers(events.t.tolist(), split_by, parameter)
    width, height = events.sensor
    counts = np.zeros((total, 2, height, width), np.int64)
    lost = {"tail": 0, "saturated": 0}
    columns = zip(numbers, events.p.tolist(), events.y.tolist(), events.x.tolist(), strict=True)
    for k, p, y, x in columns:
        if k is None:
            lost["tail"] += 1
        elif counts[k, p, y, x] == limit:
            lost["saturated"] += 1
        else:
            counts[k, p, y, x] += 1
    return counts, {reason: count for reason, count in lost.items() if count}
