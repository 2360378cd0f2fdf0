"""Accuracy after each step: against running sums worked out one by one, and on models with and without steps."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from eventbench import registry
from eventbench.errors import BadSubmission, EventbenchError
from eventbench.metrics.accuracy_per_step import AccuracyPerStep
from eventbench.metrics.base import Figure, measure
from eventbench.statistics.wilson import wilson
from eventbench.task_kinds.base import Answer
from tests.support.small_nets import SmallNet, Through, batched, some_frames

CPU = torch.device("cpu")


def figures_of(steps: torch.Tensor, labels: torch.Tensor, size: int = 100) -> dict[str, Figure]:
    metric = AccuracyPerStep()
    metric.start(CPU)
    for some, truth in zip(torch.split(steps, size, dim=1), torch.split(labels, size), strict=True):
        metric.update(Answer(some.mean(0), some), truth)
    return metric.value()


def right_after(steps: list[list[list[int]]], labels: list[int], stop: int) -> int:
    """Oracle: how many samples have their label as the one best mean score over the first `stop` steps."""
    right = 0
    for sample, label in enumerate(labels):
        means = [
            Fraction(sum(step[sample][k] for step in steps[:stop]), stop)
            for k in range(len(steps[0][sample]))
        ]
        right += [k for k, mean in enumerate(means) if mean == max(means)] == [label]
    return right


@given(
    # Four steps or two or one: the mean that a model returns in float32 is then as exact as the oracle's.
    steps=arrays(
        "int8",
        st.tuples(st.sampled_from([1, 2, 4]), st.integers(1, 9), st.integers(2, 4)),
        elements=st.integers(-3, 3),
    ),
    seed=st.integers(0, 99),
    size=st.integers(1, 9),
)
def test_it_agrees_with_running_means_worked_out_one_by_one(steps: np.ndarray, seed: int, size: int) -> None:
    scores = torch.from_numpy(steps).float()
    T, N, K = scores.shape
    labels = torch.randint(0, K, (N,), generator=torch.Generator().manual_seed(seed))
    figures = figures_of(scores, labels, size)
    assert list(figures) == [f"step_{step:02}" for step in range(1, T + 1)]
    for step, figure in enumerate(figures.values(), start=1):
        right = right_after(scores.int().tolist(), labels.tolist(), step)
        assert figure == Figure(right / N, "", "higher", *wilson(right, N))


def test_the_last_step_is_the_accuracy_of_a_model_that_offers_steps() -> None:
    frames, labels = some_frames(5, 40), torch.arange(40) % 3
    metrics = {name: registry.metrics.get(name)() for name in ("accuracy_per_step", "accuracy")}
    figures = measure(SmallNet(), batched(frames, labels, 7), metrics, CPU).figures
    assert [name for name in figures if name.startswith("accuracy_per_step")] == [
        f"accuracy_per_step.step_{step:02}" for step in range(1, 6)
    ]
    assert figures["accuracy_per_step.step_05"] == figures["accuracy"]
    assert len({figure.value for name, figure in figures.items() if "step" in name}) > 1


def test_a_network_of_the_package_has_a_figure_for_each_step() -> None:
    torch.manual_seed(0)
    model = registry.models.get("spikformer_small")(
        sensor=(32, 32), time_steps=3, classes=3, width=16, heads=4
    )
    frames, labels = 3 * torch.rand(3, 6, 2, 32, 32), torch.arange(6) % 3
    metrics = {name: registry.metrics.get(name)() for name in ("accuracy_per_step", "accuracy")}
    figures = measure(model, batched(frames, labels, 4), metrics, CPU).figures
    assert figures["accuracy_per_step.step_03"] == figures["accuracy"]


def test_a_model_without_scores_of_each_step_has_no_such_figure() -> None:
    model = Through(lambda m, x: x.sum((0, 2, 3)))
    batches = batched(some_frames(4, 5), torch.zeros(5, dtype=torch.int64), 2)
    assert measure(model, batches, {"accuracy_per_step": AccuracyPerStep()}, CPU).figures == {}


def test_a_hundred_steps_are_numbered_in_their_order() -> None:
    names = list(figures_of(torch.ones(100, 2, 3), torch.zeros(2, dtype=torch.int64)))
    assert (names[0], names[-1]) == ("step_001", "step_100")
    assert names == sorted(names)


def test_batches_of_other_numbers_of_steps_are_refused() -> None:
    metric = AccuracyPerStep()
    metric.start(CPU)
    labels = torch.zeros(2, dtype=torch.int64)
    metric.update(Answer(torch.ones(2, 3), torch.ones(4, 2, 3)), labels)
    with pytest.raises(BadSubmission, match="a batch has scores of 5 steps, an earlier one had 4"):
        metric.update(Answer(torch.ones(2, 3), torch.ones(5, 2, 3)), labels)


def test_scores_that_are_not_finite_are_refused() -> None:
    steps = torch.ones(2, 3, 4)
    steps[0, 1, 2] = float("nan")
    with pytest.raises(EventbenchError, match="the scores per step of 1 of 3 samples are not finite"):
        figures_of(steps, torch.zeros(3, dtype=torch.int64))
