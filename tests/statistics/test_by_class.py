"""Intervals of figures by class: what they come down to, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from eventbench.statistics.by_class import balanced_accuracy, macro_f1, macro_f1_interval

COUNTS, RIGHT = (
    (40, 20, 30),
    (0.95, 0.6, 0.8),
)  # samples of each class, and how often each is answered rightly


def drawn(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and predictions that are wrong as often as RIGHT says, by the next class."""
    labels = np.repeat(np.arange(3), COUNTS)
    wrong = random.random(len(labels)) > np.repeat(RIGHT, COUNTS)
    return labels, (labels + wrong) % 3


def true_macro_f1() -> float:
    counts, right = np.array(COUNTS), np.array(RIGHT)
    predicted = counts * right + np.roll(counts * (1 - right), 1)
    return float((2 * counts * right / (counts + predicted)).mean())


def test_nineteen_intervals_of_balanced_accuracy_in_twenty_hold_the_truth() -> None:
    random, held = np.random.default_rng(0), 0
    for _ in range(600):
        _, low, high = balanced_accuracy(*drawn(random))
        held += low <= sum(RIGHT) / 3 <= high
    assert 0.93 < held / 600 < 0.98


@pytest.mark.slow
def test_intervals_of_macro_f1_hold_the_truth_nearly_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventbench.statistics.by_class.RESAMPLES", 500)
    random, held = np.random.default_rng(0), 0
    for _ in range(400):
        interval = macro_f1_interval(*drawn(random))
        assert interval is not None
        held += interval[0] <= true_macro_f1() <= interval[1]
    assert 0.9 < held / 400 < 0.98


def test_a_resample_is_a_draw_of_samples_within_their_classes() -> None:
    """Against drawing indices: the same quantiles, up to what 4000 draws know of them."""
    random = np.random.default_rng(5)
    labels, predictions = drawn(random)
    predictions[:3] = -1
    values = []
    for _ in range(4000):
        picked = np.concatenate([random.choice(np.flatnonzero(labels == k), COUNTS[k]) for k in range(3)])
        values.append(macro_f1(labels[picked], predictions[picked]))
    interval = macro_f1_interval(labels, predictions)
    assert interval == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.01)


def test_the_same_predictions_have_the_same_interval() -> None:
    labels, predictions = drawn(np.random.default_rng(1))
    assert macro_f1_interval(labels, predictions) == macro_f1_interval(labels, predictions)


def test_a_prediction_of_a_class_without_samples_is_wrong_and_no_more() -> None:
    labels = np.array([0, 0, 1, 1])
    elsewhere, tied = np.array([0, 5, 1, 1]), np.array([0, -1, 1, 1])
    assert macro_f1(labels, elsewhere) == macro_f1(labels, tied) == (2 / 3 + 1) / 2
    assert macro_f1_interval(labels, elsewhere) == macro_f1_interval(labels, tied)
