"""The board's statistics against scipy, against published values and against counting everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eventbench.errors import BadSpec, EventbenchError
from eventbench.statistics.paired import difference_in_units, holm, mcnemar_exact, paired_bootstrap, sign_flip
from eventbench.statistics.wilson import wilson

small_differences = st.lists(st.integers(-3, 3), min_size=1, max_size=10).map(np.array)


@given(n=st.integers(1, 2000), share=st.floats(0, 1), confidence=st.sampled_from([0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_wilson_is_the_interval_scipy_gives(n: int, share: float, confidence: float) -> None:
    right = round(share * n)
    expected = stats.binomtest(right, n).proportion_ci(confidence, method="wilson")
    assert wilson(right, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_is_the_interval_of_the_books_example() -> None:
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I: 81 of 263 and 15 of 148.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_wilson_touches_the_ends_exactly_and_takes_a_mean_over_seeds() -> None:
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0
    assert wilson(10, 20)[0] < wilson(10 + 1 / 3, 20)[0] < wilson(11, 20)[0]


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(BadSpec, match=r"^wilson: "):
        wilson(successes, n)


@given(only_a=st.integers(0, 60), only_b=st.integers(0, 60))
def test_mcnemar_is_the_exact_binomial_test(only_a: int, only_b: int) -> None:
    n = only_a + only_b
    expected = stats.binomtest(only_a, n).pvalue if n else 1.0
    assert mcnemar_exact(only_a, only_b) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_does_not_overflow_on_thousands_of_samples() -> None:
    assert mcnemar_exact(5000, 5000) == 1.0
    assert 0 < mcnemar_exact(4700, 5300) < 1e-8


@given(differences=small_differences)
def test_sign_flip_counts_every_pattern_of_signs(differences: np.ndarray) -> None:
    seen = abs(differences.sum())
    signs = itertools.product([1, -1], repeat=len(differences))
    extreme = [abs(np.dot(sign, differences)) >= seen for sign in signs]
    assert sign_flip(differences) == pytest.approx(np.mean(extreme), abs=1e-12)


def test_sign_flip_is_scipys_exact_permutation_test() -> None:
    differences = np.array([2, 1, 1, 3, -1, 2, 0, 1, 1, -2, 3])
    expected = stats.permutation_test(
        (differences,), lambda x: x.sum(), permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip(differences) == pytest.approx(expected.pvalue, abs=1e-12)


@given(only_a=st.integers(0, 400), only_b=st.integers(0, 400), equal=st.integers(0, 50))
def test_with_one_run_a_side_sign_flip_is_mcnemar(only_a: int, only_b: int, equal: int) -> None:
    differences = np.repeat([1, -1, 0], [only_a, only_b, equal])
    assert sign_flip(differences) == pytest.approx(mcnemar_exact(only_a, only_b), abs=1e-12)


@given(differences=small_differences)
def test_sign_flip_does_not_care_who_is_first(differences: np.ndarray) -> None:
    assert sign_flip(differences) == pytest.approx(sign_flip(-differences), abs=1e-12)


def test_a_difference_over_unequal_numbers_of_runs_is_in_whole_units() -> None:
    a = np.array([[1, 0, 1], [1, 0, 0]], dtype=bool)
    b = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0]], dtype=bool)
    differences, units = difference_in_units(a, b)
    np.testing.assert_allclose(differences / units, a.mean(axis=0) - b.mean(axis=0))
    assert (differences.tolist(), units) == ([2, -6, 3], 6)


def test_correctness_of_other_samples_is_refused() -> None:
    with pytest.raises(EventbenchError, match="the same samples"):
        difference_in_units(np.ones((2, 4), dtype=bool), np.ones((2, 5), dtype=bool))


def test_the_bootstrap_interval_is_the_same_twice_and_close_to_scipys() -> None:
    differences = np.repeat([3, 1, 0, -1, -3], [20, 15, 180, 10, 5])
    low, high = paired_bootstrap(differences)
    assert (low, high) == paired_bootstrap(differences)
    expected = stats.bootstrap(
        (differences,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    # The ends of a bootstrap interval themselves vary by a few hundredths of its width.
    width = expected.high - expected.low
    assert low == pytest.approx(expected.low, abs=0.05 * width)
    assert high == pytest.approx(expected.high, abs=0.05 * width)


def test_the_bootstrap_of_no_difference_is_a_point() -> None:
    assert paired_bootstrap(np.zeros(30, dtype=np.int64)) == (0.0, 0.0)


def test_holm_gives_the_books_adjusted_values() -> None:
    # R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(p_values=st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_and_keeps_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    assert [a for _, a in sorted(zip(p_values, adjusted, strict=True))] == sorted(adjusted)
