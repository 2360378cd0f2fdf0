"""What every metric owes the harness, run over each member of the family."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from eventbench import registry
from eventbench.errors import EventbenchError
from eventbench.metrics.base import AnswerMetric, Figure, ModelMetric, measure
from eventbench.task_kinds.base import Answer
from tests.support.measured import figures_or_reason
from tests.support.small_nets import SmallNet, batched, some_frames

NAMES = registry.metrics.names()
TIMINGS = {"latency"}
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.gpu),
]
CLASSES = 6
LABELS = torch.tensor([0, 1, 2, 0, 4, 5, 0])


def figures(names: list[str], size: int = 3, device: str = "cpu") -> dict[str, Figure]:
    metrics = {name: registry.metrics.get(name)() for name in names}
    frames = some_frames(4, 7).to(device)
    batches = batched(frames, LABELS.to(device), size)
    return figures_or_reason(measure(SmallNet(CLASSES).to(device), batches, metrics, torch.device(device)))


def hooks(model: nn.Module) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
        for module in model.modules()
    )


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_family_is_complete() -> None:
    assert {
        "accuracy",
        "accuracy_per_step",
        "activation_sparsity",
        "balanced_accuracy",
        "calibration_error",
        "connection_sparsity",
        "energy_estimate",
        "firing_rate",
        "latency",
        "macro_f1",
        "parameters",
        "peak_memory",
        "synaptic_operations",
        "top_5_accuracy",
    } <= set(NAMES)


def test_a_member_derives_from_one_of_the_two_bases_takes_no_arguments_and_has_a_version(name: str) -> None:
    metric = registry.metrics.get(name)()
    assert isinstance(metric, AnswerMetric) != isinstance(metric, ModelMetric)
    assert metric.version >= 1
    assert registry.metrics.summary(name).endswith(".")


@pytest.mark.parametrize("device", DEVICES)
def test_figures_are_finite_and_say_unit_and_direction(name: str, device: str) -> None:
    found = figures([name], device=device)
    assert found
    for key, figure in found.items():
        assert key == name or key.startswith(f"{name}.")
        assert isinstance(figure.value, float) and math.isfinite(figure.value) and figure.value >= 0
        assert isinstance(figure.unit, str)
        assert figure.better in ("higher", "lower", "neither")
        if figure.low is not None and figure.high is not None:
            assert figure.low <= figure.value <= figure.high


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_no_figure_but_a_timing_depends_on_the_batch_size(name: str, size: int, device: str) -> None:
    if name in TIMINGS:
        pytest.skip("a timing is never the same twice")
    assert figures([name], size, device) == figures([name], 3, device)


def test_metrics_do_not_disturb_each_other_in_any_order() -> None:
    forwards, backwards = figures(NAMES), figures(NAMES[::-1])
    alone = {key: figure for name in NAMES for key, figure in figures([name]).items()}
    for key, figure in alone.items():
        if key.partition(".")[0] not in TIMINGS:
            assert forwards[key] == backwards[key] == figure, key


def test_closing_leaves_no_hook_on_the_model(name: str) -> None:
    model, metric = SmallNet(CLASSES).eval(), registry.metrics.get(name)()
    frames = some_frames(4, 7)
    with torch.no_grad():
        if isinstance(metric, AnswerMetric):
            metric.start(torch.device("cpu"))
            metric.update(Answer(model(frames), model.scores_per_step(frames)), LABELS)
            assert not hasattr(metric, "close")
            assert not hasattr(metric, "probe")
        if isinstance(metric, ModelMetric):
            metric.start(model, torch.device("cpu"))
            model(frames)
            metric.update(frames)
            metric.close()
            metric.close()
            assert hooks(model) == 0
            metric.probe(model, frames)
    assert hooks(model) == 0


def test_a_failed_run_leaves_no_hook_on_the_model(name: str) -> None:
    model, metric = SmallNet(CLASSES), registry.metrics.get(name)()
    wrong = torch.zeros(4, 7, 3, 6, 5)
    with pytest.raises(RuntimeError, match="channels"):
        measure(model, [(wrong, LABELS)], {name: metric}, torch.device("cpu"))
    assert hooks(model) == 0


def test_a_metric_may_be_closed_before_it_was_started(name: str) -> None:
    metric = registry.metrics.get(name)()
    if isinstance(metric, ModelMetric):
        metric.close()


def test_a_metric_that_saw_nothing_raises(name: str) -> None:
    with pytest.raises(EventbenchError):
        registry.metrics.get(name)().value()


def test_no_samples_raise(name: str) -> None:
    with pytest.raises(EventbenchError, match="no sample"):
        measure(SmallNet(CLASSES), [], {name: registry.metrics.get(name)()}, torch.device("cpu"))


def test_a_metric_can_be_started_again(name: str) -> None:
    if name in TIMINGS:
        pytest.skip("a timing is never the same twice")
    metric = registry.metrics.get(name)()
    frames = some_frames(4, 7)
    runs = [
        measure(SmallNet(CLASSES), batched(frames, LABELS, 3), {name: metric}, torch.device("cpu"))
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
