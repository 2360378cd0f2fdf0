"""What the events of a recording say about it, in figures, and what those figures make one doubt."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from eventbench.events import Events

HOT_EVENTS = 50
HOT_RATIO = 10
HOT_SHARE = 0.01
SHORT_US = 1_000
LONG_US = 3_600_000_000


class HotPixel(NamedTuple):
    """A pixel that fires by itself: where it is and how many events it has."""

    x: int
    y: int
    events: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording's events say. Times are in microseconds; `longest_gap` is the time between two neighbours in time."""

    sensor: tuple[int, int]
    events: int
    on: int
    first_us: int | None
    last_us: int | None
    longest_gap_us: int
    active_pixels: int
    repeated: int
    hot_pixels: list[HotPixel]

    @property
    def duration_us(self) -> int:
        return self.last_us - self.first_us if self.first_us is not None and self.last_us is not None else 0


def measure(events: Events) -> Figures:
    """The figures of a recording; order, range and polarity are sound in every Events."""
    n = len(events)
    cells = events.y.astype(np.int64) * events.sensor[0] + events.x
    # No histogram of the sensor: a file without a stated size may name a pixel at (65535, 65535).
    active, counts = np.unique(cells, return_counts=True)
    return Figures(
        sensor=events.sensor,
        events=n,
        on=int(np.count_nonzero(events.p)),
        first_us=int(events.t[0]) if n else None,
        last_us=int(events.t[-1]) if n else None,
        longest_gap_us=int(np.diff(events.t).max()) if n > 1 else 0,
        active_pixels=len(active),
        repeated=_repeated(events, cells),
        hot_pixels=hot_pixels(active, counts, events.sensor[0]),
    )


def _repeated(events: Events, cells: np.ndarray) -> int:
    """How many events are the same as another one in time, place and polarity, less the first of each."""
    if len(events) < 2:
        return 0
    order = np.lexsort((events.p, cells, events.t))
    same = np.ones(len(events) - 1, np.bool_)
    for column in (events.t, cells, events.p):
        column = column[order]
        same &= column[1:] == column[:-1]
    return int(same.sum())


def hot_pixels(active: np.ndarray, counts: np.ndarray, width: int) -> list[HotPixel]:
    """Pixels that fire by themselves, the busiest first.

    active (pixels,) are the sorted addresses y * width + x of pixels with events, counts (pixels,) their events.

    A pixel is hot when it has at least 50 events, at least 10 times the 95th percentile of all active pixels, and at
    least 10 times the second-busiest of its eight neighbours: what moves before the camera excites neighbours
    alike, a defect does not (one neighbour may be as hot). The factor is ours: in recordings of five sensors without
    such a defect the busiest pixel reaches 9.7 times the percentile; in one with it, 95 times.
    """
    if not len(active):
        return []
    usual = np.quantile(counts, 0.95, method="lower")
    found = []
    for i in np.flatnonzero(counts >= max(HOT_EVENTS, HOT_RATIO * int(usual))):
        y, x = divmod(int(active[i]), width)
        beside = [(x + dx, y + dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy]
        near = sorted(
            _count_at(active, counts, v * width + u) for u, v in beside if 0 <= u < width and v >= 0
        )
        if counts[i] >= HOT_RATIO * (near[-2] if len(near) > 1 else 0):
            found.append(HotPixel(x, y, int(counts[i])))
    return sorted(found, key=lambda pixel: (-pixel.events, pixel.y, pixel.x))


def _count_at(active: np.ndarray, counts: np.ndarray, address: int) -> int:
    place = int(np.searchsorted(active, address))
    return int(counts[place]) if place < len(active) and active[place] == address else 0


def judge(figures: Figures) -> tuple[list[str], list[str]]:
    """(problems, warnings) of a recording that could be decoded, a sentence each."""
    problems: list[str] = []
    warnings: list[str] = []
    n = figures.events
    if not n:
        return ["no event in it"], []
    hot = sum(pixel.events for pixel in figures.hot_pixels)
    if hot:
        shown = ", ".join(f"({pixel.x}, {pixel.y}) with {pixel.events:,}" for pixel in figures.hot_pixels[:5])
        more = f" and {len(figures.hot_pixels) - 5:,} more" if len(figures.hot_pixels) > 5 else ""
        sentence = f"hot pixels hold {hot / n:.1%} of all events: {shown}{more}"
        (problems if hot > HOT_SHARE * n else warnings).append(sentence)
    if figures.on in (0, n) and n > 1:
        warnings.append(f"only {'ON' if figures.on else 'OFF'} events: is the polarity lost?")
    duration = figures.duration_us
    if n > 1 and duration < SHORT_US:
        warnings.append(f"{n:,} events in {duration:,} us: are its times in milliseconds or seconds?")
    if duration > LONG_US:
        warnings.append(f"it lasts {duration / 1e6:,.0f} s: are its times in nanoseconds?")
    if n > 2 and 2 * figures.longest_gap_us > duration >= SHORT_US:
        share = figures.longest_gap_us / duration
        warnings.append(f"nothing happens for {figures.longest_gap_us:,} us, {share:.0%} of its time")
    if figures.first_us is not None and figures.first_us < 0:
        warnings.append(f"its time starts below zero, at {figures.first_us:,} us")
    if 2 * figures.repeated > n:
        warnings.append(f"{figures.repeated:,} of {n:,} events repeat another one")
    return problems, warnings
