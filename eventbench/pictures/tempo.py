"""How fast a film plays: in real time, unless the recording is too short to be seen or too long to be watched."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

SHORTEST_S, SLOWED_TO_S, LONGEST_S = 0.2, 2.0, 60.0
PAGE_S, MOST_PAGES = 0.04, 600
QUICKEST_S = 0.02  # the shortest page that browsers show as they are told


class Tempo(NamedTuple):
    """`pages` of `page_s` seconds each; `slower` is 1 in real time, 100 for a hundredth of its speed, 0.5 for twice."""

    pages: int
    page_s: float
    slower: float

    @classmethod
    def of(cls, span_us: int, pages: int | None) -> Tempo:
        """For a recording of `span_us`; `pages` None takes 25 a second, and 600 at most."""
        real = max(span_us, 1) / 1e6
        slower = 1.0
        if real < SHORTEST_S:
            slower = _round(SLOWED_TO_S / real)
        elif real > LONGEST_S:
            slower = 1 / _round(real / LONGEST_S)
        if pages is None:
            pages = max(1, min(MOST_PAGES, round(real * slower / PAGE_S)))
        while real * slower / pages < QUICKEST_S:
            slower = _round(slower * 1.01)
        return cls(pages, real * slower / pages, slower)

    @property
    def told(self) -> str:
        if self.slower == 1:
            return "real time"
        return (
            f"{self.slower:,.6g} times slower" if self.slower > 1 else f"{1 / self.slower:,.6g} times faster"
        )

    def page_ms(self) -> list[int]:
        """Whole tens of milliseconds a page, that add up to the film's length: what GIF can say."""
        ends = [round(100 * self.page_s * k) for k in range(self.pages + 1)]
        return [10 * max(1, b - a) for a, b in pairwise(ends)]


def _round(factor: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50, ... that is not smaller."""
    power = 10.0 ** math.floor(math.log10(factor))
    return next(k * power for k in (1, 2, 5, 10, 20) if k * power >= factor * (1 - 1e-9))
