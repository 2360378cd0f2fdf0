"""Figures that give every class the same weight, with their intervals: balanced accuracy and macro F1.

Labels and predictions are two int64 arrays (samples,); a prediction of -1 is no class. Classes without samples are left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from eventbench.statistics.paired import RESAMPLES, SEED
from eventbench.statistics.wilson import wilson

if TYPE_CHECKING:
    import numpy as np

_AT_A_TIME = 500  # resamples, so that memory stays small with many classes


def balanced_accuracy(
    labels: np.ndarray, predictions: np.ndarray, confidence: float = 0.95
) -> tuple[float, float, float]:
    """(value, low, high): the mean over classes of the share of right answers, and its two-sided interval.

    The shares of classes are independent, each with its Wilson interval; how far the limits of the mean are from it follows
    from how far theirs are, squared and summed. Source: Zou, Huang and Zhang, "A note on confidence interval estimation for
    a linear function of binomial proportions", Computational Statistics and Data Analysis 53 (2009) 1080-1085. With one
    class it is the Wilson interval.
    """
    import numpy as np

    shares, below, above = [], [], []
    for label in np.unique(labels):
        answers = predictions[labels == label]
        right = int((answers == label).sum())
        low, high = wilson(right, len(answers), confidence)
        shares.append(right / len(answers))
        below.append(shares[-1] - low)
        above.append(high - shares[-1])
    classes = len(shares)
    value = math.fsum(shares) / classes
    return (
        value,
        max(0.0, value - math.hypot(*below) / classes),
        min(1.0, value + math.hypot(*above) / classes),
    )


def macro_f1(labels: np.ndarray, predictions: np.ndarray) -> float:
    """The mean over classes of 2 · right / (samples + predictions)."""
    import numpy as np

    return math.fsum(
        2
        * int(((labels == label) & (predictions == label)).sum())
        / (int((labels == label).sum()) + int((predictions == label).sum()))
        for label in np.unique(labels)
    ) / len(np.unique(labels))


def macro_f1_interval(
    labels: np.ndarray, predictions: np.ndarray, *, confidence: float = 0.95, seed: int = SEED
) -> tuple[float, float] | None:
    """Percentile interval (low, high) of `macro_f1`; None where no resample differs from another.

    Samples are drawn with replacement within each class, as a test set has so many of each; the figure itself is never
    outside. Few samples in a class make it too narrow. Source: Efron and Tibshirani, An Introduction to the Bootstrap
    (1993), ch. 8 (samples of several groups) and 13.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    resampled = np.concatenate(
        [
            _resampled_f1(labels, predictions, min(_AT_A_TIME, RESAMPLES - first), random)
            for first in range(0, RESAMPLES, _AT_A_TIME)
        ]
    )
    if resampled.min() == resampled.max():
        return None
    value = macro_f1(labels, predictions)
    low, high = np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2])
    return min(float(low), value), max(float(high), value)


def _resampled_f1(
    labels: np.ndarray, predictions: np.ndarray, resamples: int, random: np.random.Generator
) -> np.ndarray:
    """Macro F1 (resamples,). What was predicted how often is one multinomial draw for each class."""
    import numpy as np

    classes = np.unique(labels)
    right = np.zeros((resamples, len(classes)), np.int64)
    of_class = np.zeros_like(right)  # samples and predictions of each
    for place, label in enumerate(classes):
        answers, counts = np.unique(predictions[labels == label], return_counts=True)
        drawn = random.multinomial(counts.sum(), counts / counts.sum(), size=resamples)
        of_class[:, place] += counts.sum()
        known = np.isin(answers, classes)
        of_class[:, np.searchsorted(classes, answers[known])] += drawn[:, known]
        right[:, place] = drawn[:, answers == label].sum(1)
    means: np.ndarray = (2 * right / of_class).mean(1)
    return means
