"""The unit of a recording's times, judged from when it begins, how long it lasts and how busy its pixels are.

A pixel of an event camera needs tens of microseconds or more between two of its events, and the pixels that see
anything have, on average over a recording, from about one event in some seconds to some hundreds a second. Times in a
coarser unit taken for microseconds make that a thousand times more, in a finer one a thousand times less.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventbench.events import Events
from eventbench.events.summary import LONG_US, SHORT_US, Summary

BUSIEST_HZ = 4_000.0  # a mean over pixels; gen3_evt2.raw, one blinking light in motion, has 1,300
IDLEST_HZ, IDLE_US = 0.02, 60_000_000
QUIET_HZ = 1.0  # what is longer than an hour and busier than this is a long recording
DATES = (946_684_800, 4_102_444_800)  # 2000 and 2100, in seconds since 1970


class Suspicion(NamedTuple):
    """Which unit the times may be in, and why."""

    unit: str
    why: str


def suspicion(events: Events, summary: Summary) -> Suspicion | None:
    """None where the times pass for microseconds."""
    n, duration = summary.events, summary.duration_us
    if n < 2 or summary.first_us is None:
        return None
    if DATES[0] * 10**9 <= summary.first_us <= DATES[1] * 10**9:
        return Suspicion("ns", f"its first time, {summary.first_us:,}, is a date in nanoseconds")
    if duration < SHORT_US:
        moments = int(np.count_nonzero(np.diff(events.t))) + 1
        if moments == duration + 1 and moments >= 4 and n >= 4 * moments:
            why = (
                f"its times are the numbers {summary.first_us:,} to {summary.last_us:,}, each for many events"
            )
            return Suspicion("frame index", why)
        return Suspicion("ms or s", f"{n:,} events in {duration:,} us")
    rate = n / max(summary.active_pixels, 1) / (duration / 1e6)
    if rate > BUSIEST_HZ and n > 2 * summary.active_pixels:
        return Suspicion("ms", f"an active pixel has {rate:,.0f} events a second")
    if duration > LONG_US and rate < QUIET_HZ:
        return Suspicion(
            "ns", f"it lasts {duration / 1e6:,.0f} s, and an active pixel has {rate:.2g} events a second"
        )
    if duration > IDLE_US and rate < IDLEST_HZ:
        return Suspicion("ns", f"in {duration / 1e6:,.0f} s an active pixel has {rate:.2g} events a second")
    return None


def tick_us(events: Events) -> int:
    """The largest number of microseconds that all times are multiples of, from the first on: the clock's step."""
    return int(np.gcd.reduce(np.diff(events.t.view(np.uint64)))) if len(events) > 1 else 0
