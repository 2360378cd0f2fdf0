"""`Playback`: the speed of a film, real time unless the recording is too short or too long to watch."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

SHORTEST_S, SLOWED_TO_S, LONGEST_S = 0.2, 2.0, 60.0
PAGE_S, MAX_PAGES = 0.04, 600
SHORTEST_PAGE_S = 0.02  # browsers show shorter pages more slowly


class Playback(NamedTuple):
    """`pages` of `page_s` seconds each; `slower` is 1 for real time, 100 for a hundredth of the speed, 0.5 for twice."""

    pages: int
    page_s: float
    slower: float

    @classmethod
    def of(cls, duration_us: int, pages: int | None) -> Playback:
        """The playback of a recording of `duration_us`; `pages` None is 25 per second, at most 600."""
        duration_s = max(duration_us, 1) / 1e6
        slower = 1.0
        if duration_s < SHORTEST_S:
            slower = _rounded_up(SLOWED_TO_S / duration_s)
        elif duration_s > LONGEST_S:
            slower = 1 / _rounded_up(duration_s / LONGEST_S)
        if pages is None:
            pages = max(1, min(MAX_PAGES, round(duration_s * slower / PAGE_S)))
        while duration_s * slower / pages < SHORTEST_PAGE_S:
            slower = _rounded_up(slower * 1.01)
        return cls(pages, duration_s * slower / pages, slower)

    @property
    def speed(self) -> str:
        """The speed in words: "real time", "10 times slower"."""
        if self.slower == 1:
            return "real time"
        return (
            f"{self.slower:,.6g} times slower" if self.slower > 1 else f"{1 / self.slower:,.6g} times faster"
        )

    def page_ms(self) -> list[int]:
        """Milliseconds for each page in multiples of 10, as GIF needs them; they add up to the film's length."""
        ends = [round(100 * self.page_s * k) for k in range(self.pages + 1)]
        return [10 * max(1, b - a) for a, b in pairwise(ends)]


def _rounded_up(factor: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, 50, ... that is not below `factor`."""
    power = 10.0 ** math.floor(math.log10(factor))
    return next(k * power for k in (1, 2, 5, 10, 20) if k * power >= factor * (1 - 1e-9))
