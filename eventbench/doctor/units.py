"""The unit of a recording's times, judged from when it begins, how long it lasts and how busy its pixels are.

A pixel of an event camera needs tens of microseconds or more between two of its events, and the pixels that see
anything have, on average over a recording, from about one event in some seconds to some hundreds a second. Times in a
coarser unit taken for microseconds make that a thousand times more, in a finer one a thousand times less.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventbench.events.summary import LONG_US, SHORT_US, Summary

BUSIEST_HZ = 4_000.0  # a mean over pixels; gen3_evt2.raw, one blinking light in motion, has 1,300
IDLEST_HZ, IDLE_US = 0.02, 60_000_000
QUIET_HZ = 1.0  # what is longer than an hour and busier than this is a long recording
DATES = (946_684_800, 4_102_444_800)  # 2000 and 2100, in seconds since 1970


UNITS = ("ns", "us", "ms", "s")  # each a thousand times the one before
USUAL_HZ = 10.0  # events a second of an active pixel in the middle of what recordings have
LIKELY, POSSIBLE = "likely", "possible"


class Suspicion(NamedTuple):
    """Which unit the times may be in, why, and how sure that is: LIKELY or POSSIBLE."""

    unit: str
    why: str
    sure: str = LIKELY


def suspicion(
    summary: Summary, moments: int, read_as: str = "us", *, fixed: bool = False
) -> Suspicion | None:
    """None where the times, `moments` different ones that were read as being in the unit `read_as`, pass for that.

    Where the format fixes the unit, a short recording is likelier a short cut than one in another unit.
    """
    n, duration = summary.events, summary.duration_us
    if n < 2 or summary.first_us is None:
        return None
    if read_as == "us" and DATES[0] * 10**9 <= summary.first_us <= DATES[1] * 10**9:
        return Suspicion("ns", f"its first time, {summary.first_us:,}, is a date in nanoseconds")
    rate = n / max(summary.active_pixels, 1) / (max(duration, 1) / 1e6)
    if duration < SHORT_US:
        short = _too_short(summary, moments, rate, read_as)
        return short._replace(sure=POSSIBLE) if short and fixed else short
    if rate > BUSIEST_HZ and n > 2 * summary.active_pixels:
        return _suspected(f"an active pixel has {rate:,.0f} events a second", rate, read_as)
    if duration > LONG_US and rate < QUIET_HZ:
        why = f"it lasts {duration / 1e6:,.0f} s, and an active pixel has {rate:.2g} events a second"
        return _suspected(why, rate, read_as)
    if duration > IDLE_US and rate < IDLEST_HZ:
        why = f"in {duration / 1e6:,.0f} s an active pixel has {rate:.2g} events a second"
        return _suspected(why, rate, read_as)
    return None


def _too_short(summary: Summary, moments: int, rate: float, read_as: str) -> Suspicion | None:
    n, duration = summary.events, summary.duration_us
    if read_as == "us" and moments == duration + 1 and moments >= 4 and n >= 4 * moments:
        numbers = (
            f"its times are the numbers {summary.first_us:,} to {summary.last_us:,}, each for many events"
        )
        return Suspicion("frame index", numbers)
    sure = LIKELY if rate > BUSIEST_HZ else POSSIBLE
    return _suspected(f"{n:,} events in {duration:,} us", rate, read_as, sure)


def _suspected(why: str, rate: float, read_as: str, sure: str = LIKELY) -> Suspicion | None:
    """The unit in which an active pixel has the most usual rate; only coarser ones where it has too many events."""
    at = UNITS.index(read_as)
    others = UNITS[at + 1 :] if rate > USUAL_HZ else UNITS[:at]
    if not others:
        return None
    rates = {unit: rate * 1000.0 ** (at - UNITS.index(unit)) for unit in others}
    return Suspicion(min(others, key=lambda unit: abs(np.log(rates[unit] / USUAL_HZ))), why, sure)
