"""Paired tests and intervals of checkpoints: McNemar, bootstrap, sign-flip and Holm, each with its source.

All of them are about the drawn sample of test recordings, for the given runs: would these checkpoints be ahead on other
samples? What other seeds would give is another question: `procedures`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from eventbench.errors import EventbenchError

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 10_000
SEED = 20261121
LEAST_P = 1e-13
"""The sign-flip p is no more exact than this; what is below is given as this, a bound from above."""


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Two-sided exact p of McNemar's test: samples only A got right against samples only B got right.

    Under the null hypothesis each of the `only_a + only_b` samples is A's or B's with probability 1/2, so p is twice the
    smaller binomial tail, at most 1. Source: McNemar, Psychometrika 12 (1947) 153-157, in its exact form.
    Raises EventbenchError for counts below 0.
    """
    if min(only_a, only_b) < 0:
        raise EventbenchError(f"counts {only_a} and {only_b}", allowed="0 or more")
    n = only_a + only_b
    term = tail = 1
    for k in range(min(only_a, only_b)):
        term = term * (n - k) // (k + 1)
        tail += term
    p: float = 2 * tail / 2**n
    return min(1.0, p)  # whole numbers up to the division, so nothing is rounded before it


def difference_in_units(correct_a: np.ndarray, correct_b: np.ndarray) -> tuple[np.ndarray, int]:
    """Per-sample difference of the share of runs that are right, as whole numbers.

    correct_a (runs of A, samples) and correct_b (runs of B, samples), bool, of the same samples in the same order.
    Returns (int64 differences (samples,), units): `differences / units` is mean correctness of A minus that of B.
    Raises EventbenchError for other shapes.
    """
    import numpy as np

    if correct_a.shape[1] != correct_b.shape[1] or 0 in (*correct_a.shape, *correct_b.shape):
        raise EventbenchError(
            f"correctness of shapes {correct_a.shape} and {correct_b.shape}",
            allowed="(runs, samples), one run or more, the same samples",
        )
    units = math.lcm(len(correct_a), len(correct_b))
    share_a = correct_a.sum(axis=0, dtype=np.int64) * (units // len(correct_a))
    share_b = correct_b.sum(axis=0, dtype=np.int64) * (units // len(correct_b))
    return share_a - share_b, units


def paired_bootstrap(
    differences: np.ndarray, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[float, float]:
    """Percentile interval (low, high) of the mean of per-sample differences, the samples drawn with replacement.

    There are few distinct differences, so a resample is one multinomial draw of how often each occurs, which is equivalent
    to drawing indices. Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.
    """
    import numpy as np

    values, counts = np.unique(differences, return_counts=True)
    n = int(counts.sum())
    resampled_counts = np.random.default_rng(seed).multinomial(n, counts / n, size=resamples)
    means = resampled_counts @ values / n
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def sign_flip(differences: np.ndarray) -> float:
    """Two-sided exact p of the paired sign-flip test of whole-number differences (samples,).

    p is the probability that the sum of the differences, each with a random sign, is at least as far from 0 as observed.
    All 2^n sign patterns are counted, without random draws: the sum of independent ±d has the characteristic function
    Π cos(d·θ), and its distribution is that function's inverse Fourier transform, so p is exact to about 1e-13, and
    `LEAST_P` stands for anything below. With one run of A and one of B it equals McNemar's exact test.
    Source: Fisher, The Design of Experiments (1935), section 21.
    """
    import numpy as np

    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    if len(sizes) == 0:
        return 1.0
    largest_sum = int(sizes @ counts)
    length = 2 * largest_sum + 1
    # cos(2π k d / length) with k d reduced first: the argument stays small, so the cosine stays accurate.
    steps = np.arange(largest_sum + 1, dtype=np.int64)
    transform = np.ones(largest_sum + 1)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        transform *= np.cos(2 * np.pi * ((steps * size) % length) / length) ** count
    probability = np.fft.irfft(transform, n=length)  # of sums 0..largest_sum, then -largest_sum..-1
    observed = abs(int(differences.sum()))
    tail = 2 * probability[observed : largest_sum + 1].sum() if observed else 1.0
    return float(min(1.0, max(tail, 2.0 ** (1 - int(counts.sum())), LEAST_P)))


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted for multiple tests, in the order of `p_values`.

    The k-th smallest of m is multiplied by m - k + 1; an adjusted value is never below that of a smaller p.
    Source: Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for position, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - position) * p_values[index]))
        adjusted[index] = highest
    return adjusted
