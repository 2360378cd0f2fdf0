"""The unit of a recording's times, judged from when it begins, how long it lasts and how busy its pixels are.

A pixel of an event camera needs tens of microseconds or more between two of its events, and the pixels that see
anything have, on average over a recording, from about one event in some seconds to some hundreds a second. Times in a
coarser unit taken for microseconds make that a thousand times more, in a finer one a thousand times less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import NamedTuple

import numpy as np

from eventbench.events.summary import LONG_US, SHORT_US, Summary

BUSIEST_HZ = 4_000.0  # a mean over pixels; gen3_evt2.raw, one blinking light in motion, has 1,300
IDLEST_HZ, IDLE_US = 0.02, 60_000_000
QUIET_HZ = 1.0  # what is longer than an hour and busier than this is a long recording
DATES = (946_684_800, 4_102_444_800)  # 2000 and 2100, in seconds since 1970
MANY_EVENTS = (
    1_000  # a recording with fewer, below a millisecond from its zero on, may be a few events by hand
)
FEW_EVENTS = 100  # with fewer, how busy pixels are is chance

UNITS = ("ns", "us", "ms", "s")  # each a thousand times the one before
USUAL_HZ = 10.0  # events a second of an active pixel in the middle of what recordings have
LIKELY, POSSIBLE = "likely", "possible"

MOST_CELLS = 1 << 24  # of a table of every pixel
FIRST_LOOK, LONGEST_LOOK = 1 << 12, 1 << 18  # events that are looked at at once
Parts = Callable[[], Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]]


class Suspicion(NamedTuple):
    """Which unit the times may be in, why, and how sure that is: LIKELY or POSSIBLE."""

    unit: str
    why: str
    sure: str = LIKELY


class Evidence(NamedTuple):
    """What the unit is judged by. What takes a look at every event is asked for only where it can matter.

    events : how many there are, the first at `first_us`, the last at `last_us`
    cells : pixels of the sensor
    pixels : how many pixels have events; of more than the number it is given, only that they are more
    moments : how many different times there are
    """

    events: int
    first_us: int
    last_us: int
    cells: int
    pixels: Callable[[float], int]
    moments: Callable[[], int]

    @classmethod
    def of_summary(cls, summary: Summary, moments: int) -> Evidence:
        """Of a recording that was measured."""
        width, height = summary.sensor
        ends = summary.first_us or 0, summary.last_us or 0
        return cls(
            summary.events, *ends, width * height, lambda _most: summary.active_pixels, lambda: moments
        )

    @classmethod
    def of_parts(
        cls, events: int, first_us: int, last_us: int, sensor: tuple[int, int], parts: Parts
    ) -> Evidence:
        """Of events in order of time; `parts` gives their t, x, y (events,) a part at a time, whenever it is called."""

        def pixels(most: float) -> int:
            return pixels_up_to(most, parts, sensor)

        return cls(events, first_us, last_us, sensor[0] * sensor[1], pixels, lambda: different_times(parts))


def suspicion(
    seen: Evidence, read_as: str = "us", *, fixed: bool = False, assumed: bool = False
) -> Suspicion | None:
    """None where the times, that were read as being in the unit `read_as`, pass for that.

    Where the format fixes the unit, a short recording is likelier a short cut than one in another unit; it is not where the
    unit was only `assumed`, for nobody says it, and the times begin at zero.
    """
    n, duration = seen.events, seen.last_us - seen.first_us
    if n < 2:
        return None
    if read_as == "us" and DATES[0] * 10**9 <= seen.first_us <= DATES[1] * 10**9:
        return Suspicion("ns", f"its first time, {seen.first_us:,}, is a date in nanoseconds")
    seconds = max(duration, 1) / 1e6
    if duration < SHORT_US:
        short = _too_short(seen, read_as, assumed=assumed)
        return short._replace(sure=POSSIBLE) if short and fixed else short
    few = min(n / (BUSIEST_HZ * seconds), n / 2)  # an active pixel is too busy where there are fewer
    if few > 1 and (active := seen.pixels(few)) < few:
        rate = n / active / seconds
        return _suspected(f"an active pixel has {rate:,.0f} events a second", rate, read_as)
    least = QUIET_HZ if duration > LONG_US else IDLEST_HZ if duration > IDLE_US else 0.0
    if not least or n >= least * seconds * min(n, seen.cells):
        return None
    rate = n / seen.pixels(inf) / seconds
    if duration > LONG_US and rate < QUIET_HZ:
        why = f"it lasts {duration / 1e6:,.0f} s, and an active pixel has {rate:.2g} events a second"
        return _suspected(why, rate, read_as)
    if rate < IDLEST_HZ:
        why = f"in {duration / 1e6:,.0f} s an active pixel has {rate:.2g} events a second"
        return _suspected(why, rate, read_as)
    return None


def _too_short(seen: Evidence, read_as: str, *, assumed: bool) -> Suspicion | None:
    n, duration = seen.events, seen.last_us - seen.first_us
    if read_as == "us" and n >= 4 * (duration + 1) >= 16 and seen.moments() == duration + 1:
        numbers = f"its times are the numbers {seen.first_us:,} to {seen.last_us:,}, each for many events"
        return Suspicion("frame index", numbers)
    active = seen.pixels(inf)
    rate = n / active / (max(duration, 1) / 1e6)
    too_busy = rate > BUSIEST_HZ and n > 2 * active  # one event of each pixel says nothing of how busy it is
    from_zero = assumed and n >= MANY_EVENTS and 0 <= seen.first_us <= duration
    sure = LIKELY if too_busy or from_zero else POSSIBLE
    return _suspected(f"{n:,} events in {duration:,} us", rate, read_as, sure)


def _suspected(why: str, rate: float, read_as: str, sure: str = LIKELY) -> Suspicion | None:
    """The unit in which an active pixel has the most usual rate; only coarser ones where it has too many events."""
    at = UNITS.index(read_as)
    others = UNITS[at + 1 :] if rate > USUAL_HZ else UNITS[:at]
    if not others:
        return None
    rates = {unit: rate * 1000.0 ** (at - UNITS.index(unit)) for unit in others}
    return Suspicion(min(others, key=lambda unit: abs(np.log(rates[unit] / USUAL_HZ))), why, sure)


def pixels_up_to(most: float, parts: Parts, sensor: tuple[int, int]) -> int:
    """How many pixels have events; some number over `most` where there are more, as soon as that is known."""
    cells, width = sensor[0] * sensor[1], sensor[0]
    table = np.zeros(cells, np.bool_) if cells <= MOST_CELLS else None
    found, count = np.empty(0, np.int64), 0
    for _, x, y in parts():
        first, look = 0, FIRST_LOOK
        while first < len(x):
            cell = y[first : first + look].astype(np.int64) * width + x[first : first + look]
            if table is None:
                found = np.union1d(found, cell)
                count = len(found)
            else:
                table[cell] = True
                count = int(np.count_nonzero(table))
            if count > most:
                return count
            first, look = first + look, min(2 * look, LONGEST_LOOK)
    return count


def different_times(parts: Parts) -> int:
    """How many different times there are, of parts in order of time."""
    count, last = 0, None
    for t, _, _ in parts():
        if len(t):
            count += int(np.count_nonzero(t[1:] != t[:-1])) + (last is None or int(t[0]) != last)
            last = int(t[-1])
    return count
