"""The test of training procedures: an oracle, its limits, and that it holds its level where seeds matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eventbench.errors import EventbenchError
from eventbench.statistics.procedures import LEAST_RUNS, procedure_difference, too_few_runs
from tools.calibration import Setting, alarms


def oracle(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Variance of the difference of means and its degrees of freedom, by sums over every run and sample."""
    parts, rest, of_variance = [], 0.0, 0.0
    for marks in (a, b):
        runs, samples = marks.shape
        means = [sum(run) / samples for run in marks.tolist()]
        centre = sum(means) / runs
        of_runs = sum((mean - centre) ** 2 for mean in means) / (runs - 1) / runs
        parts.append(of_runs)
        of_variance += of_runs**2 / (runs - 1)
        squares = 0.0
        for i in range(runs):
            for s in range(samples):
                column = sum(marks[k, s] for k in range(runs)) / runs
                squares += (marks[i, s] - means[i] - column + centre) ** 2
        rest += squares / ((runs - 1) * (samples - 1)) / (runs * samples)
    differences = [float(a[:, s].mean() - b[:, s].mean()) for s in range(a.shape[1])]
    of_samples = np.var(differences, ddof=1) / len(differences)
    variance = sum(parts) + max(0.0, float(of_samples) - rest)
    freedom = min(len(differences) - 1.0, variance**2 / of_variance if of_variance else np.inf)
    return variance, freedom


@given(
    st.integers(3, 5), st.integers(3, 5), st.integers(2, 30), st.floats(0.1, 0.95), st.integers(0, 2**32 - 1)
)
def test_it_is_the_sums_over_every_run_and_sample(
    runs_a: int, runs_b: int, samples: int, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random((runs_a, samples)) < share, rng.random((runs_b, samples)) < share
    result, (variance, freedom) = procedure_difference(a, b), oracle(a.astype(float), b.astype(float))
    mean = a.mean() - b.mean()
    assert result.mean == pytest.approx(mean, abs=1e-12)
    if variance < 1e-15:
        assert result.p == (1 if abs(mean) < 1e-12 else max(2.0 ** (1 - samples), 1e-13))
        return
    assert result.freedom == pytest.approx(freedom)
    assert result.p == pytest.approx(2 * stats.t.sf(abs(mean) / variance**0.5, freedom), rel=1e-6)
    assert (result.low, result.high) == pytest.approx(
        stats.t.interval(0.95, freedom, loc=mean, scale=variance**0.5)
    )


def test_it_does_not_matter_which_is_called_a_nor_how_runs_and_samples_are_ordered() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random((4, 60)) < 0.9, rng.random((3, 60)) < 0.7
    result, turned = procedure_difference(a, b), procedure_difference(b, a)
    assert (turned.mean, turned.low, turned.high, turned.p) == pytest.approx(
        (-result.mean, -result.high, -result.low, result.p)
    )
    order = rng.permutation(60)
    assert procedure_difference(a[::-1, order], b[:, order]) == pytest.approx(result)


def test_runs_without_any_spread_leave_the_paired_t_test_of_samples() -> None:
    rng = np.random.default_rng(4)
    one, other = rng.random(80) < 0.9, rng.random(80) < 0.7
    result = procedure_difference(np.stack([one] * 3), np.stack([other] * 3))
    expected = stats.ttest_rel(one.astype(float), other.astype(float))
    assert (result.p, result.freedom) == pytest.approx((expected.pvalue, 79))


def test_runs_that_answer_every_sample_alike_differ_as_surely_as_there_are_samples() -> None:
    right, wrong = np.ones((3, 20), bool), np.zeros((3, 20), bool)
    assert procedure_difference(right, right)[:4] == (0, 0, 0, 1)
    assert procedure_difference(right, wrong)[:4] == (1, 1, 1, 2**-19)  # as the signs of 20 samples
    assert procedure_difference(right[:, :2], wrong[:, :2]).p == 0.5


def test_fewer_than_three_runs_are_not_tested_and_why_is_said() -> None:
    assert too_few_runs(LEAST_RUNS, 5) == ""
    assert too_few_runs(5, 1) == "1 run: how a model is trained is tested from 3 seeds on"
    with pytest.raises(EventbenchError, match="2 runs: how a model is trained is tested from 3 seeds on"):
        procedure_difference(np.ones((2, 9)), np.ones((3, 9)))


def test_other_samples_cannot_be_compared() -> None:
    for shape in ((3, 8), (3, 1), (9,)):
        with pytest.raises(EventbenchError, match=r"marks of shapes"):
            procedure_difference(np.ones((3, 9)), np.ones(shape))


@pytest.mark.parametrize("runs", [3, 5])
@pytest.mark.parametrize("seed_spread", [0.0, 0.5])
def test_it_holds_its_level_whatever_seeds_do(runs: int, seed_spread: float) -> None:
    of_checkpoints, of_procedures = alarms(Setting(runs, 300, 0.5, seed_spread), draws=600, seed=1)
    assert of_procedures <= 0.05 + 3 * (0.05 * 0.95 / 600) ** 0.5
    if seed_spread:
        assert of_checkpoints > 0.2  # which is why there are two tests


def test_it_finds_what_is_there() -> None:
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(50):
        a, b = (rng.random((3, 300)) < share for share in (0.95, 0.85))
        found += procedure_difference(a, b).p <= 0.05
    assert found >= 45
