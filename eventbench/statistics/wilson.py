"""The Wilson score interval of a share."""

from __future__ import annotations

import math
from statistics import NormalDist

from eventbench.errors import BadSpec


def wilson(successes: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """(low, high) of the share `successes` / `n`, two-sided, without continuity correction.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
    the American Statistical Association 22(158):209-212, 1927. `successes` may be fractional (a mean over
    seeds). The bound is exactly 0 where nothing succeeded and exactly 1 where everything did.

    Raises BadSpec where n < 1, `successes` lies outside [0, n] or `confidence` outside (0, 1).

    >>> low, high = wilson(8, 10)
    >>> round(low, 4), round(high, 4)
    (0.4902, 0.9433)
    """
    if n < 1:
        raise BadSpec(f"n is {n}", where="wilson", allowed="1 or more trials")
    if not 0 <= successes <= n:
        raise BadSpec(f"successes is {successes}", where="wilson", allowed=f"0 to n, which is {n}")
    if not 0 < confidence < 1:
        raise BadSpec(f"confidence is {confidence}", where="wilson", allowed="above 0 and below 1")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high
