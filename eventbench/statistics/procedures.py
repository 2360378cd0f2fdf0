"""The test of two training procedures: would one still be ahead with other seeds and on other samples?

A paired test over samples answers for the checkpoints at hand. How a model is trained is a procedure: what it gives varies
from seed to seed too, and two procedures of one quality are told apart by such a test far more often than 5 % of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from eventbench.errors import EventbenchError
from eventbench.statistics.paired import LEAST_P

if TYPE_CHECKING:
    import numpy as np

LEAST_RUNS = 3
"""Runs that each procedure needs: with two, the spread from seed to seed is hardly known."""


class ProcedureDifference(NamedTuple):
    """Mean of procedure A minus that of B: the mean, its 95 % interval, p of no difference, and degrees of freedom."""

    mean: float
    low: float
    high: float
    p: float
    freedom: float


def too_few_runs(*runs: int) -> str:
    """Why procedures with these numbers of runs cannot be tested; "" where they can."""
    fewest = min(runs)
    counted = f"{fewest} run{'' if fewest == 1 else 's'}"
    return (
        f"{counted}: how a model is trained is tested from {LEAST_RUNS} seeds on"
        if fewest < LEAST_RUNS
        else ""
    )


class _Spread(NamedTuple):
    """Of one procedure: variance of its mean that stems from the runs, and from what is left of runs and samples."""

    of_runs: float
    of_rest: float
    runs: int


def _spread(marks: np.ndarray) -> _Spread:
    runs, samples = marks.shape
    run_means, sample_means = marks.mean(1, keepdims=True), marks.mean(0, keepdims=True)
    rest = marks - run_means - sample_means + marks.mean()
    freedom = (runs - 1) * (samples - 1)
    return _Spread(float(run_means.var(ddof=1)) / runs, float((rest**2).sum()) / freedom / marks.size, runs)


def procedure_difference(
    marks_a: np.ndarray, marks_b: np.ndarray, confidence: float = 0.95
) -> ProcedureDifference:
    """The difference of two training procedures, of whose runs and of whose test samples all are random draws.

    marks_a (runs of A, samples), marks_b (runs of B, samples): how well each run answered each sample, of the same samples
    in the same order. A run of A has nothing to do with the run of B of the same number.

    The variance of the difference of means is that of the run means, plus that of the per-sample differences less what both
    count, which is not negative. t has the degrees of freedom of Satterthwaite, each procedure with a spread of its own, and
    at most samples - 1. This is the analysis of crossed random effects that reader studies use: Dorfman, Berbaum and Metz,
    Investigative Radiology 27 (1992) 723-731; Hillis, Statistics in Medicine 26 (2007) 596-619, for the degrees of freedom;
    Satterthwaite, Biometrics Bulletin 2 (1946) 110-114. How often it alarms where there is nothing: tools/calibration.

    Where every run of each answers every sample alike, p is that of the samples' signs, 2 ** (1 - samples).

    Raises EventbenchError for fewer than LEAST_RUNS runs or 2 samples, and for shapes that do not fit.
    """
    import numpy as np
    from scipy.special import stdtr, stdtrit

    if marks_a.ndim != 2 or marks_b.ndim != 2 or marks_a.shape[1] != marks_b.shape[1] or marks_a.shape[1] < 2:
        raise EventbenchError(
            f"marks of shapes {marks_a.shape} and {marks_b.shape}",
            allowed="(runs, samples), the same 2 samples or more",
        )
    if why_not := too_few_runs(len(marks_a), len(marks_b)):
        raise EventbenchError(why_not)
    a, b = (np.asarray(marks, np.float64) for marks in (marks_a, marks_b))
    differences = a.mean(0) - b.mean(0)
    mean, samples = float(differences.mean()), len(differences)
    spreads = _spread(a), _spread(b)
    of_runs = sum(spread.of_runs for spread in spreads)
    of_samples = float(differences.var(ddof=1)) / samples
    variance = of_runs + max(0.0, of_samples - sum(spread.of_rest for spread in spreads))
    if (
        variance <= 0
    ):  # every run answered every sample alike: there is no spread, but still only so many samples
        p = max(2.0 ** (1 - samples), LEAST_P) if mean else 1.0
        return ProcedureDifference(mean, mean, mean, p, samples - 1.0)
    of_variance = sum(spread.of_runs**2 / (spread.runs - 1) for spread in spreads)
    freedom = min(samples - 1.0, variance**2 / of_variance if of_variance else np.inf)
    error = variance**0.5
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(mean) / error))
    return ProcedureDifference(mean, mean - half, mean + half, p, float(freedom))
