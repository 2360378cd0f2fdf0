"""The statistics of a board, in plain Python and numpy, each with its source.

All of them speak of the test samples that were drawn, for the runs at hand; how a model varies from seed to seed is
shown by the standard deviation beside them.
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


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Two-sided exact p of McNemar's test: samples only A got right against samples only B got right.

    Under the null hypothesis each of the `only_a + only_b` goes either way with probability 1/2, so p is twice the
    smaller binomial tail, at most 1. Source: McNemar, Psychometrika 12 (1947) 153-157, in its exact form.
    """
    if min(only_a, only_b) < 0:
        raise EventbenchError(f"counts {only_a} and {only_b}", allowed="0 or more")
    n = only_a + only_b
    term = tail = 1
    for k in range(min(only_a, only_b)):
        term = term * (n - k) // (k + 1)
        tail += term
    p: float = 2 * tail / 2**n
    return min(1.0, p)  # whole numbers up to the last division: nothing is rounded before it


def difference_in_units(correct_a: np.ndarray, correct_b: np.ndarray) -> tuple[np.ndarray, int]:
    """Per-sample difference of the share of runs that are right, as whole numbers.

    correct_a (runs of A, samples) and correct_b (runs of B, samples), bool, of the same samples in the same order.
    Returns (int64 differences (samples,), units): `differences / units` is mean correctness of A minus that of B.
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

    There are few distinct differences, so how often each is drawn is one multinomial draw: the same resampling
    as by index, without the indices. Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.
    """
    import numpy as np

    values, counts = np.unique(differences, return_counts=True)
    n = int(counts.sum())
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, size=resamples)
    means = drawn @ values / n
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def sign_flip(differences: np.ndarray) -> float:
    """Two-sided exact p of the paired permutation test: had each whole-number difference either sign by chance,
    how often would their sum be at least as far from 0?

    All 2^n sign patterns are counted, none is drawn: the sum of independent ±d has the characteristic function
    Π cos(d·θ), and its distribution is that function's inverse Fourier transform. So there is no seed, and p is exact
    to about 1e-13. With one run a side it equals McNemar's exact test.
    Source: Fisher, The Design of Experiments (1935), section 21.
    """
    import numpy as np

    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    if len(sizes) == 0:
        return 1.0
    reach = int(sizes @ counts)
    length = 2 * reach + 1
    # cos(2π k d / length) with k d reduced first: the argument stays small, the cosine stays accurate.
    steps = np.arange(reach + 1, dtype=np.int64)
    transform = np.ones(reach + 1)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        transform *= np.cos(2 * np.pi * ((steps * size) % length) / length) ** count
    chance = np.fft.irfft(transform, n=length)  # chance[s] for sums 0..reach, then -reach..-1
    observed = abs(int(differences.sum()))
    tail = 2 * chance[observed : reach + 1].sum() if observed else 1.0
    return float(min(1.0, max(tail, 2.0 ** (1 - int(counts.sum())))))


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted for being looked at together, in the order given.

    The k-th smallest of m is multiplied by m - k + 1, and none may be below a smaller one's.
    Source: Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted
