"""Axes of plots: round ends and ticks, linear or logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence


def linear_axis(low: float, high: float, ticks: int = 5) -> tuple[float, float, list[float]]:
    """The ends of an axis that covers `low` to `high`, and about `ticks` values between them; all are round numbers."""
    spread = max(high - low, 1e-3)  # a tenth of a point of accuracy: smaller differences need no finer axis
    step = 10 ** math.floor(math.log10(spread / ticks))
    step *= next((factor for factor in (1, 2, 5) if spread / (step * factor) <= ticks), 10)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return first * step, last * step, [round(step * count, 12) for count in range(first, last + 1)]


def log_axis(low: float, high: float) -> tuple[float, float, list[float]]:
    """The ends and ticks of a logarithmic axis, all as exponents of ten.

    Ticks are at 1, 2 and 5 times each power of ten; over wide spans at the powers only.
    """
    margin = max(0.08 * (high - low), 0.08)
    low, high = low - margin, high + margin
    factors: Sequence[int] = (1, 2, 5) if high - low <= 2.2 else (1,)
    ticks = [
        power + math.log10(factor)
        for power in range(math.floor(low), math.ceil(high) + 1)
        for factor in factors
    ]
    ticks_inside = [tick for tick in ticks if low <= tick <= high]
    return low, high, ticks_inside or [(low + high) / 2]
