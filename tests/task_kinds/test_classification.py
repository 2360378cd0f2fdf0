"""Classification: what a model must return, what selects a checkpoint, what is kept, recomputed and compared."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eventbench.errors import BadRecord, BadSubmission, UnknownName
from eventbench.metrics.balanced_accuracy import BalancedAccuracy
from eventbench.metrics.macro_f1 import MacroF1
from eventbench.statistics.paired import mcnemar_exact, sign_flip
from eventbench.statistics.wilson import wilson
from eventbench.task_kinds.base import Answer, task_kind_named
from eventbench.task_kinds.classification import Classification, Predictions, predicted

KIND = Classification()
LETTERS = st.characters(categories=["L", "N", "P", "S", "Zs"])


def test_it_is_the_member_of_its_name() -> None:
    assert isinstance(task_kind_named("classification"), Classification)
    with pytest.raises(UnknownName) as caught:
        task_kind_named("classificatoin", where="t.toml")
    assert str(caught.value) == (
        "t.toml: no kind of task named 'classificatoin'; allowed: classification; did you mean 'classification'?"
    )


# What a model returns


def test_scores_are_returned_as_they_came() -> None:
    scores = torch.rand(3, 2, dtype=torch.float64)
    assert KIND.checked_scores(scores, samples=3, classes=2, where="m") is scores


@pytest.mark.parametrize(
    ("returned", "line"),
    [
        (None, "m: forward returned NoneType; allowed: a float tensor (N, K) = (3, 2)"),
        (torch.ones(3, 2, dtype=torch.int32), "m: forward returned torch.int32; allowed: a float tensor"),
        (torch.ones(3, 3), "m: forward returned shape (3, 3); allowed: a float tensor (N, K) = (3, 2)"),
        (torch.ones(3), "m: forward returned shape (3,); allowed: a float tensor (N, K) = (3, 2)"),
        (
            torch.tensor([[1, 2], [np.nan, 1], [1, np.inf]]),
            "m: 2 of 3 samples have scores that are not finite",
        ),
    ],
)
def test_anything_but_finite_scores_of_all_samples_is_refused(returned: object, line: str) -> None:
    with pytest.raises(BadSubmission) as caught:
        KIND.checked_scores(returned, samples=3, classes=2, where="m")
    assert str(caught.value).startswith(line)


@given(seed=st.integers(0, 999), steps=st.integers(1, 30))
def test_scores_of_each_step_are_those_whose_mean_is_the_scores(seed: int, steps: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    per_step = 100 * torch.randn(steps, 4, 3, generator=generator)
    assert KIND.checked_steps(per_step, per_step.mean(0), where="m") is per_step
    # In another order of summing, as a compiled model may.
    assert KIND.checked_steps(per_step, per_step.flip(0).cumsum(0)[-1] / steps, where="m") is per_step


@pytest.mark.parametrize(
    ("returned", "line"),
    [
        ([1], "m: scores_per_step returned list; allowed: a float tensor (T, N, K) = (T, 4, 3)"),
        (torch.ones(4, 3), "m: scores_per_step returned shape (4, 3)"),
        (torch.ones(0, 4, 3), "m: scores_per_step returned shape (0, 4, 3)"),
        (torch.ones(5, 4, 2), "m: scores_per_step returned shape (5, 4, 2)"),
        (torch.full((5, 4, 3), torch.nan), "m: 4 of 4 samples have scores that are not finite"),
        (
            torch.tensor([1.0, 1, 1, 2])[:, None].expand(5, 4, 3),
            "m: the scores of 1 of 4 samples are not the mean over their steps; "
            "let forward return scores_per_step(frames).mean(0)",
        ),
    ],
)
def test_other_scores_of_each_step_are_refused(returned: object, line: str) -> None:
    with pytest.raises(BadSubmission) as caught:
        KIND.checked_steps(returned, torch.ones(4, 3), where="m")
    assert str(caught.value).startswith(line)


@given(scores=st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=9))
def test_a_prediction_is_the_one_best_class_or_minus_one(scores: list[list[int]]) -> None:
    expected = [row.index(max(row)) if row.count(max(row)) == 1 else -1 for row in scores]
    table = torch.tensor(scores, dtype=torch.float32)
    assert predicted(table).tolist() == expected
    assert predicted(table[None]).tolist() == [expected]
    assert KIND.evidence_rows(Answer(table)).tolist() == expected


# What selects a checkpoint


def test_quality_is_to_be_right_and_not_tied() -> None:
    scores = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    assert KIND.quality(Answer(scores), torch.tensor([0, 0, 0])).tolist() == [True, False, False]


def test_the_best_checkpoint_has_the_highest_quality_and_then_the_lowest_loss() -> None:
    epochs = [(0.5, 0.1), (0.75, 0.9), (0.75, 0.4), (0.7, 0.0)]
    assert max(epochs, key=lambda epoch: KIND.merit(*epoch)) == (0.75, 0.4)


# Evidence and figures


@given(data=st.data(), samples=st.integers(1, 12), runs=st.integers(1, 3))
def test_evidence_comes_back_from_its_bytes_and_gives_the_figures(
    data: st.DataObject, samples: int, runs: int
) -> None:
    ids = data.draw(
        st.lists(st.text(LETTERS, min_size=1, max_size=5), min_size=samples, max_size=samples, unique=True)
    )
    cells = st.lists(st.integers(0, 2), min_size=samples, max_size=samples)
    labels = data.draw(cells)
    answers = [
        data.draw(st.lists(st.integers(-1, 2), min_size=samples, max_size=samples)) for _ in range(runs)
    ]
    seeds = list(range(runs))
    rows = list(zip(ids, labels, *answers, strict=True))
    table = KIND.decode(KIND.encode(rows, seeds, "r"), "r")
    assert sorted(rows) == list(zip(table.ids, table.labels, *table.predicted, strict=True))
    assert KIND.mismatches(table, seeds=seeds, samples=samples, classes=3) == []
    for run, classes in enumerate(answers):
        right = sum(cls == label for cls, label in zip(classes, labels, strict=True))
        figures = KIND.recomputed(table, run)
        assert figures["accuracy"] == (right / samples, *wilson(right, samples))
        assert figures["accuracy.ties"] == (classes.count(-1) / samples, None, None)


@pytest.mark.parametrize("seed", range(4))
def test_figures_by_class_are_those_that_the_metrics_gave(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, answers = random.integers(0, 3, 12).tolist(), random.integers(-1, 3, 12).tolist()
    figures = KIND.recomputed(Predictions([0], [f"{k:02}" for k in range(12)], labels, [answers]), 0)
    scores = torch.stack([torch.ones(3) if k < 0 else torch.eye(3)[k] for k in answers])
    metrics = {"balanced_accuracy": BalancedAccuracy(), "macro_f1": MacroF1()}
    for name, metric in metrics.items():
        metric.start(torch.device("cpu"))
        metric.update(Answer(scores), torch.tensor(labels))
        scored = metric.value()[""]
        assert figures[name].value == scored.value
        if figures[name].low is not None:
            assert figures[name][1:] == (scored.low, scored.high)


def test_a_row_with_another_number_of_answers_is_no_evidence() -> None:
    with pytest.raises(
        BadRecord, match="the row of sample 'a' has 2 predictions; allowed: one for each of 1 runs"
    ):
        KIND.encode([("a", 0, 1, 1)], [0], "r")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"seeds": [1]}, "the predictions are of seeds [0], the record's runs of seeds [1]"),
        ({"samples": 3}, "2 samples are predicted, the record has 3"),
        ({"classes": 1}, "label 1 is no class: 0 to 0"),
    ],
)
def test_evidence_of_another_record_does_not_fit(changes: dict[str, object], line: str) -> None:
    table = Predictions([0], ["a", "b"], [0, 1], [[0, -1]])
    expected: dict[str, object] = {"seeds": [0], "samples": 2, "classes": 2}
    assert KIND.mismatches(table, **expected) == []  # type: ignore[arg-type]
    assert line in KIND.mismatches(table, **expected | changes)  # type: ignore[arg-type]


def test_figures_over_runs_have_an_interval_where_they_are_shares_of_right_answers() -> None:
    for figure in ("accuracy", "accuracy_per_step.step_01", "top_5_accuracy"):
        assert KIND.pooled(figure, [0.5, 0.75], 4) == (0.625, *wilson(2.5, 4))
        assert KIND.has_interval(figure)
        assert KIND.is_share(figure)
    for figure in ("accuracy.ties", "balanced_accuracy", "macro_f1", "calibration_error", "latency"):
        assert KIND.pooled(figure, [0.5, 0.75], 4) is None
        assert not KIND.has_interval(figure)
    for figure in ("accuracy.ties", "balanced_accuracy", "macro_f1", "calibration_error.confidence"):
        assert KIND.is_share(figure)
    assert not KIND.is_share("latency")


def test_two_records_are_compared_by_the_tests_of_the_statistics() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random((2, 40)) < 0.8, rng.random((3, 40)) < 0.6
    difference = KIND.difference(a, b)
    assert difference.mean == pytest.approx(a.mean() - b.mean())
    assert difference.low < difference.mean < difference.high
    units = 3 * a.sum(0, dtype=int) - 2 * b.sum(0, dtype=int)
    assert difference.p == KIND.p_of_no_difference(a, b) == sign_flip(units)
    only_a, only_b = int((a[0] & ~b[0]).sum()), int((b[0] & ~a[0]).sum())
    assert KIND.compared_runs(a[0], b[0]) == {
        "only_a": only_a,
        "only_b": only_b,
        "p": mcnemar_exact(only_a, only_b),
    }
    assert set(KIND.compared_runs(a[0], b[0])) == set(KIND.compared_columns)
