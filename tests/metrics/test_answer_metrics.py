"""Balanced accuracy, macro F1, top-5 accuracy and calibration: against counting one by one, and against scikit-learn."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from eventbench.errors import BadSubmission, EventbenchError, NotCounted
from eventbench.metrics.accuracy import Accuracy
from eventbench.metrics.balanced_accuracy import BalancedAccuracy
from eventbench.metrics.base import AnswerMetric, Figure, measure
from eventbench.metrics.calibration_error import CalibrationError
from eventbench.metrics.macro_f1 import MacroF1
from eventbench.metrics.top_5_accuracy import Top5Accuracy
from eventbench.statistics.wilson import wilson
from eventbench.task_kinds.base import Answer
from tests.support.small_nets import Through, batched, some_frames

CPU = torch.device("cpu")
METRICS: list[type[AnswerMetric]] = [Accuracy, BalancedAccuracy, CalibrationError, MacroF1, Top5Accuracy]
Answered = tuple[torch.Tensor, torch.Tensor]


@st.composite
def answered(draw: st.DrawFn, least: int = 2, most: int = 8) -> Answered:
    """Scores (N, K) of few different whole numbers, so that many tie, and labels (N,) of some of the classes."""
    samples, classes = draw(st.integers(1, 25)), draw(st.integers(least, most))
    scores = draw(arrays("int8", (samples, classes), elements=st.integers(-2, 3)))
    labels = draw(arrays("int64", samples, elements=st.integers(0, classes - 1)))
    return torch.from_numpy(scores).float(), torch.from_numpy(labels)


def figures_of(
    kind: type[AnswerMetric], scores: torch.Tensor, labels: torch.Tensor, size: int = 100
) -> dict[str, Figure]:
    metric = kind()
    metric.start(CPU)
    for some, truth in zip(torch.split(scores, size), torch.split(labels, size), strict=True):
        metric.update(Answer(some), truth)
    return metric.value()


def chosen(row: list[float]) -> int | None:
    """Oracle: the class that alone has the best score."""
    best = [k for k, score in enumerate(row) if score == max(row)]
    return best[0] if len(best) == 1 else None


@given(answered(), st.integers(1, 9))
def test_balanced_accuracy_is_the_mean_of_the_shares_of_classes(data: Answered, size: int) -> None:
    scores, labels = data
    predictions = [chosen(row) for row in scores.tolist()]
    shares = []
    for label in set(labels.tolist()):
        of_class = [p for p, truth in zip(predictions, labels.tolist(), strict=True) if truth == label]
        shares.append(Fraction(of_class.count(label), len(of_class)))
    figure = figures_of(BalancedAccuracy, scores, labels, size)[""]
    assert figure.value == pytest.approx(float(sum(shares) / len(shares)), abs=1e-15)
    assert figure.better == "higher"
    assert figure.low is not None and figure.high is not None
    assert 0 <= figure.low <= figure.value <= figure.high <= 1
    assert figure.low < figure.high


@settings(deadline=None)  # each example draws thousands of resamples
@given(answered(), st.integers(1, 9))
def test_macro_f1_is_the_mean_of_harmonic_means_of_precision_and_recall(data: Answered, size: int) -> None:
    scores, labels = data
    pairs = list(zip([chosen(row) for row in scores.tolist()], labels.tolist(), strict=True))
    of_classes = []
    for label in set(labels.tolist()):
        right = sum(p == truth == label for p, truth in pairs)
        predicted_so = sum(p == label for p, _ in pairs)
        precision = Fraction(right, predicted_so) if predicted_so else Fraction(0)
        recall = Fraction(right, sum(truth == label for _, truth in pairs))
        both = precision + recall
        of_classes.append(2 * precision * recall / both if both else Fraction(0))
    figure = figures_of(MacroF1, scores, labels, size)[""]
    assert figure.value == pytest.approx(float(sum(of_classes) / len(of_classes)), abs=1e-15)
    if figure.low is not None and figure.high is not None:
        assert 0 <= figure.low <= figure.value <= figure.high <= 1


@given(answered(least=5), st.integers(1, 9))
def test_a_label_is_among_the_five_best_where_it_is_whichever_way_ties_are_broken(
    data: Answered, size: int
) -> None:
    scores, labels = data
    right = 0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        # The order that is worst for the label: among equal scores it comes last.
        order = sorted(range(len(row)), key=lambda k: (-row[k], k == label))
        right += label in order[:5]
    figure = figures_of(Top5Accuracy, scores, labels, size)[""]
    assert figure == Figure(right / len(labels), "", "higher", *wilson(right, len(labels)))


@given(answered(), st.integers(1, 9))
def test_calibration_error_is_the_mean_distance_of_confidence_and_accuracy_in_its_bins(
    data: Answered, size: int
) -> None:
    scores, labels = data
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(15)]
    everything = []
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        confidence = max(math.exp(score) for score in row) / math.fsum(math.exp(score) for score in row)
        everything.append(confidence)
        for m in range(
            15
        ):  # the tolerance: on an edge, 1/3 for instance, the oracle may be a rounding above it
            if confidence <= (m + 1) / 15 + 1e-12:
                bins[m].append((confidence, chosen(row) == label))
                break
    error = 0.0
    for members in filter(None, bins):
        accuracy = sum(right for _, right in members) / len(members)
        mean = sum(confidence for confidence, _ in members) / len(members)
        error += len(members) / len(labels) * abs(accuracy - mean)
    figures = figures_of(CalibrationError, scores, labels, size)
    assert figures[""].value == pytest.approx(error, abs=1e-12)
    assert figures["confidence"].value == pytest.approx(sum(everything) / len(labels), abs=1e-12)
    assert figures[""].low is None


@settings(deadline=None)  # the first example imports scikit-learn
@given(answered(least=5))
def test_what_scikit_learn_has_too_is_equal(data: Answered) -> None:
    theirs: Any = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn")
    scores, labels = data
    # Without ties, which scikit-learn breaks by the order of the classes.
    scores = scores + torch.linspace(0, 0.5, scores.shape[1])
    predictions, classes = scores.argmax(1).numpy(), sorted(set(labels.tolist()))
    recalls = theirs.recall_score(labels, predictions, labels=classes, average="macro", zero_division=0)
    assert figures_of(BalancedAccuracy, scores, labels)[""].value == pytest.approx(recalls, abs=1e-12)
    f1 = theirs.f1_score(labels, predictions, labels=classes, average="macro", zero_division=0)
    assert figures_of(MacroF1, scores, labels)[""].value == pytest.approx(f1, abs=1e-12)
    if scores.shape[1] > 5:
        top = theirs.top_k_accuracy_score(labels, scores, k=5, labels=range(scores.shape[1]))
        assert figures_of(Top5Accuracy, scores, labels)[""].value == pytest.approx(top, abs=1e-12)


def test_balanced_accuracy_of_one_class_is_its_accuracy_with_the_interval_of_wilson() -> None:
    scores, labels = torch.eye(2)[torch.tensor([0, 0, 0, 1])], torch.zeros(4, dtype=torch.int64)
    figure = figures_of(BalancedAccuracy, scores, labels)[""]
    assert (figure.value, figure.low, figure.high) == pytest.approx((0.75, *wilson(3, 4)))


def test_macro_f1_has_no_interval_where_every_answer_is_right() -> None:
    figure = figures_of(MacroF1, torch.eye(3), torch.arange(3))[""]
    assert (figure.value, figure.low, figure.high) == (1.0, None, None)


@pytest.mark.parametrize("classes", [1, 2, 4])
def test_top_5_of_fewer_classes_is_not_counted(classes: int) -> None:
    with pytest.raises(NotCounted, match=rf"there are {classes} classes; allowed: 5 or more"):
        figures_of(Top5Accuracy, torch.ones(3, classes), torch.zeros(3, dtype=torch.int64))


def test_a_figure_that_is_not_counted_leaves_the_others() -> None:
    model = Through(lambda m, x: x.sum((0, 2, 3))[:, :3])
    frames = some_frames(4, 5)
    metrics = {"top_5_accuracy": Top5Accuracy(), "macro_f1": MacroF1()}
    measured = measure(model, batched(frames, torch.zeros(5, dtype=torch.int64), 2), metrics, CPU)
    assert list(measured.figures) == ["macro_f1"]
    assert list(measured.not_counted) == ["top_5_accuracy"]


def test_rates_of_ten_classes_that_are_always_right_are_badly_calibrated() -> None:
    figures = figures_of(CalibrationError, torch.eye(10), torch.arange(10))
    most = math.e / (math.e + 9)
    assert figures["confidence"].value == pytest.approx(most)
    assert figures[""].value == pytest.approx(1 - most)


@pytest.mark.parametrize("kind", METRICS)
def test_broken_answers_are_refused(kind: type[AnswerMetric]) -> None:
    scores, labels = torch.ones(3, 6), torch.zeros(3, dtype=torch.int64)
    for label in (-1, 6):
        with pytest.raises(BadSubmission, match="1 of 3 labels are classes without a score"):
            figures_of(kind, scores, torch.tensor([0, label, 1]))
    with pytest.raises(BadSubmission, match=r"for 3 samples; allowed: scores \(N, K\)"):
        figures_of(kind, scores[:, 0], labels)
    scores[1, 2] = float("nan")
    with pytest.raises(BadSubmission, match="the scores of 1 of 3 samples are not finite"):
        figures_of(kind, scores, labels)
    started = kind()
    started.start(CPU)
    with pytest.raises(EventbenchError, match="no sample was scored"):
        started.value()


def test_a_label_without_a_score_is_refused_by_calibration_in_a_later_batch_too() -> None:
    with pytest.raises(BadSubmission, match="1 of 4 labels"):
        figures_of(CalibrationError, torch.ones(4, 6), torch.tensor([0, 1, 2, 9]), size=1)


def test_figures_do_not_depend_on_the_order_of_samples() -> None:
    generator = np.random.default_rng(3)
    scores = torch.from_numpy(generator.normal(size=(60, 6))).float()
    labels, order = torch.arange(60) % 6, torch.from_numpy(generator.permutation(60))
    for kind in METRICS:
        assert figures_of(kind, scores, labels) == figures_of(kind, scores[order], labels[order])
