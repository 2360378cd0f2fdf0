"""Accuracy, parameters, firing rate, latency, peak memory, and the order `measure` calls in."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from eventbench.errors import BadSubmission, EventbenchError, NotCounted
from eventbench.metrics.accuracy import Accuracy
from eventbench.metrics.base import PROBE_SAMPLES, AnswerMetric, Figure, Metric, ModelMetric, measure
from eventbench.metrics.firing_rate import FiringRate
from eventbench.metrics.latency import WARM_UPS, Latency
from eventbench.metrics.parameters import Parameters
from eventbench.metrics.peak_memory import MIB, PeakMemory
from eventbench.statistics.wilson import wilson
from eventbench.task_kinds.base import Answer
from eventbench.task_kinds.classification import predicted
from tests.support.measured import figures_or_reason
from tests.support.small_nets import Fire, SmallNet, Through, batched, some_frames

CPU = torch.device("cpu")


def run(model: nn.Module, metric: Metric, frames: torch.Tensor, size: int = 4) -> dict[str, Figure]:
    labels = torch.zeros(frames.shape[1], dtype=torch.int64)
    return figures_or_reason(measure(model, batched(frames, labels, size), {"m": metric}, CPU))


def accuracy_of(scores: torch.Tensor, labels: torch.Tensor, size: int = 100) -> dict[str, Figure]:
    metric = Accuracy()
    metric.start(CPU)
    for some, truth in zip(torch.split(scores, size), torch.split(labels, size), strict=True):
        metric.update(Answer(some), truth)
    return metric.value()


# Accuracy


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 3), min_size=3, max_size=3), st.integers(0, 2)), min_size=1),
    st.integers(1, 7),
)
def test_accuracy_counts_ties_as_errors(rows: list[tuple[list[int], int]], size: int) -> None:
    right = ties = 0
    for scores, label in rows:
        best = [k for k, score in enumerate(scores) if score == max(scores)]
        ties += len(best) > 1
        right += best == [label]
    figures = accuracy_of(
        torch.tensor([s for s, _ in rows], dtype=torch.float32), torch.tensor([x for _, x in rows]), size
    )
    assert figures[""].value == right / len(rows)
    assert figures["ties"].value == ties / len(rows)
    assert (figures[""].low, figures[""].high) == wilson(right, len(rows))


def test_the_prediction_of_a_tie_is_minus_one() -> None:
    assert predicted(torch.tensor([[1.0, 2.0, 2.0], [3.0, 0.0, 0.0]])).tolist() == [-1, 0]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_scores_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(BadSubmission, match="1 of 2 samples are not finite"):
        accuracy_of(torch.tensor([[0.0, 1.0], [bad, 1.0]]), torch.tensor([1, 1]))


def test_a_label_without_a_score_is_refused() -> None:
    with pytest.raises(BadSubmission, match="1 of 2 labels are classes without a score"):
        accuracy_of(torch.tensor([[0.0, 1.0], [0.0, 1.0]]), torch.tensor([1, 2]))


@pytest.mark.parametrize("shape", [(2,), (3, 4), (2, 4, 1)])
def test_scores_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadSubmission, match=r"for 2 samples; allowed: scores \(N, K\)"):
        accuracy_of(torch.zeros(shape), torch.tensor([0, 1]))


# Parameters


def test_parameters_counts_shared_ones_once_and_buffers_by_bytes_only() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    net[0].bias.requires_grad_(False)
    model = Through(lambda m, x: m.a(x.mean(0).flatten(1)[:, :3]), a=net, again=net)
    figures = run(model, Parameters(), some_frames(2, 3))
    assert figures["m"].value == 3 * 4 + 4 + 4 + 4
    assert figures["m.trainable"].value == 3 * 4 + 4 + 4
    assert (
        figures["m.bytes"].value == 4 * (24 + 8) + 8
    )  # running mean and variance, and an int64 count of batches


# Firing rate


def test_firing_rate_is_spikes_per_neuron_and_step_over_all_layers() -> None:
    model = Through(
        lambda m, x: m.second(m.first(x)[:, :, :, :2]).mean(0).flatten(1), first=Fire(0), second=Fire(0)
    )
    frames = some_frames(5, 7)
    first = frames > 0
    spikes = int(first.sum()) + int(first[:, :, :, :2].sum())
    elements = first.numel() + first[:, :, :, :2].numel()
    assert run(model, FiringRate(), frames)["m"].value == spikes / elements


def test_a_model_without_spiking_layers_has_no_firing_rate() -> None:
    assert run(Through(lambda m, x: x.sum(0).flatten(1)), FiringRate(), some_frames(2, 3)) == {}


def test_binary_outputs_of_a_layer_that_says_it_is_no_neuron_are_not_taken_for_spikes() -> None:
    class Step(nn.Module):
        spiking = False

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x > 0).float()

    assert (
        run(Through(lambda m, x: m.s(x).sum(0).flatten(1), s=Step()), FiringRate(), some_frames(2, 3)) == {}
    )


@pytest.mark.parametrize("value", [2.0, -1.0, 0.5, float("nan")])
def test_a_spiking_layer_that_gives_anything_but_spikes_is_refused(value: float) -> None:
    class Analogue(nn.Module):
        spiking: ClassVar[bool] = True

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            spikes = torch.zeros_like(x)
            spikes[0, 0, 0, 0, 0] = value
            return spikes

    model = Through(lambda m, x: m.lif(x).nan_to_num().sum(0).flatten(1), lif=Analogue())
    with pytest.raises(NotCounted, match="1 outputs of the spiking layer 'lif' are neither 0 nor 1"):
        run(model, FiringRate(), some_frames(2, 3))


def test_a_spiking_layer_that_is_never_called_has_no_steps() -> None:
    model = Through(lambda m, x: m.used(x).sum(0).flatten(1), used=Fire(), unused=Fire())
    alone = Through(lambda m, x: m.used(x).sum(0).flatten(1), used=Fire())
    frames = some_frames(2, 3)
    assert run(model, FiringRate(), frames) == run(alone, FiringRate(), frames)
    with pytest.raises(NotCounted, match="no data went through any spiking layer"):
        run(Through(lambda m, x: x.sum(0).flatten(1), unused=Fire()), FiringRate(), frames)


class Heaviside(nn.Module):
    """A neuron that does not say that it is one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x > 1).to(x.dtype)


def test_a_module_that_fires_and_does_not_say_so_is_named_and_nothing_is_left_out_silently() -> None:
    frames = some_frames(2, 3)
    model = Through(lambda m, x: m.said(m.unsaid(x)).sum(0).flatten(1), said=Fire(), unsaid=Heaviside())
    with pytest.raises(
        NotCounted, match=r"'unsaid' \(Heaviside\) turns other values into 0 and 1 .* set spiking = True"
    ):
        run(model, FiringRate(), frames)
    for spiking in (True, False):
        model.unsaid.spiking = spiking  # type: ignore[assignment, union-attr]
        assert run(model, FiringRate(), frames)["m"].value > 0


def test_spikes_that_only_pass_through_a_module_are_no_reason() -> None:
    model = Through(
        lambda m, x: m.pool(m.fire(x).flatten(0, 1)).unflatten(0, x.shape[:2]).sum(0).flatten(1),
        fire=Fire(),
        pool=nn.Sequential(nn.MaxPool2d(2), nn.Identity()),
    )
    assert run(model, FiringRate(), some_frames(2, 3))["m"].value > 0


class SpikeFunction(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, v: torch.Tensor) -> torch.Tensor:
        return (v >= 0).to(v.dtype)


@pytest.mark.parametrize(
    "fire",
    [
        lambda v: SpikeFunction.apply(v - 1),
        lambda v: (v > 1).float(),
        lambda v: torch.heaviside(v - 1, v.new_zeros(1)),
        lambda v: torch.where(v > 1, 1.0, 0.0),
    ],
)
def test_spikes_made_in_the_midst_of_a_forward_are_not_left_out_silently(fire: Any) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return fire(m.said(x).cumsum(0)).sum(0).flatten(1)

    model, frames = Through(forward, said=Fire()), some_frames(4, 3)
    with pytest.raises(
        NotCounted, match="the model itself turns other values into 0 and 1 outside any layer"
    ):
        run(model, FiringRate(), frames)
    model.spiking = False  # type: ignore[assignment]
    assert run(model, FiringRate(), frames)["m"].value > 0


def test_frames_made_binary_and_masks_are_no_spikes() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.said((x > 0).float()).cumsum(0)
        return (y * (y > 1)).sum(0).flatten(1) + (m.weight.abs() > 0.5).float().sum()

    model = Through(forward, said=Fire())
    model.weight = nn.Parameter(torch.rand(5, 7))
    assert run(model, FiringRate(), some_frames(4, 3))["m"].value > 0


def test_forwards_that_are_not_scored_do_not_count() -> None:
    model, metric = SmallNet().eval(), FiringRate()
    frames, other = some_frames(4, 3), some_frames(4, 5, seed=9)
    metric.start(model, CPU)
    model(other)
    model(frames)
    metric.update(frames)
    model(other)
    metric.close()
    model(other)
    assert metric.value() == {"": run(SmallNet(), FiringRate(), frames)["m"]}


# Latency


def test_latency_is_the_median_of_single_samples_after_the_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    shapes = []

    def forward(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(x.shape))
        warm = len(shapes) - 2 > WARM_UPS  # two scored batches go before
        clock[0] += float(x.max()) if warm else 1000.0
        return x.sum(0).flatten(1)

    monkeypatch.setattr("eventbench.metrics.latency.time.perf_counter", lambda: clock[0])
    frames = torch.arange(1.0, 6.0)[None, :, None, None, None].expand(
        3, 5, 1, 2, 2
    )  # sample i takes i + 1 seconds
    assert run(Through(forward), Latency(), frames)["m"] == Figure(3000.0, "ms", "lower")
    assert shapes[2:] == [(3, 1, 1, 2, 2)] * (WARM_UPS + 5)


# Peak memory


def test_peak_memory_is_footprint_and_sample_and_the_most_held_in_the_forward() -> None:
    def forward(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
        twice = torch.cat([x, x])
        more = twice.relu()
        del twice
        return more[0, :, 0, 0, :1].relu()

    model = Through(forward, unused=nn.Linear(100, 10))
    frames = torch.zeros(8, 3, 2, 16, 16)
    sample = 8 * 2 * 16 * 16 * 4
    figures = run(model, PeakMemory(), frames)["m"]
    assert figures == Figure((1010 * 4 + sample + 2 * sample + 2 * sample) / MIB, "MiB", "lower")


def test_peak_memory_of_a_forward_that_allocates_nothing_is_what_is_held() -> None:
    model = Through(lambda m, x: x[0, :, 0, 0, :1])
    assert run(model, PeakMemory(), torch.zeros(2, 3, 1, 8, 8))["m"].value == pytest.approx(
        512 / MIB, abs=16 / MIB
    )


def test_peak_memory_refuses_a_device_it_cannot_measure() -> None:
    with pytest.raises(EventbenchError, match="the device is meta; allowed: cpu or cuda"):
        PeakMemory().probe(nn.Identity(), torch.zeros(1, 1, 1, 1, 1, device="meta"))


# The order of calls


class Diary(ModelMetric):
    def __init__(self, lines: list[str], name: str, value: float = 1.0) -> None:
        self.lines, self.name, self.number = lines, name, value

    def start(self, model: nn.Module, device: torch.device) -> None:
        self.lines.append(f"{self.name} start {model.training}")

    def update(self, frames: torch.Tensor) -> None:
        self.lines.append(f"{self.name} update {frames.shape[1]} {torch.is_grad_enabled()}")

    def close(self) -> None:
        self.lines.append(f"{self.name} close")

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        self.lines.append(f"{self.name} probe {frames.shape[1]}")

    def value(self) -> dict[str, Figure]:
        self.lines.append(f"{self.name} value")
        return {"": Figure(self.number), "k": Figure(2.0)}


def test_measure_probes_only_when_every_metric_is_closed() -> None:
    lines: list[str] = []
    batches = batched(some_frames(2, 25), torch.zeros(25), 15)
    figures = measure(SmallNet(), batches, {"a": Diary(lines, "a"), "b": Diary(lines, "b")}, CPU)
    assert lines == [
        *("a start False", "b start False", "a update 15 False", "b update 15 False"),
        *("a update 10 False", "b update 10 False", "a close", "b close"),
        *(f"a probe {PROBE_SAMPLES}", f"b probe {PROBE_SAMPLES}", "a value", "b value"),
    ]
    assert set(figures.figures) == {"a", "a.k", "b", "b.k"}


def test_the_probe_is_given_the_first_samples_whatever_the_batch_size() -> None:
    class Keep(Diary):
        def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
            self.kept = frames

    frames = some_frames(2, 25)
    for size in (1, 7, 20, 25):
        metric = Keep([], "a")
        run(SmallNet(), metric, frames, size)
        assert torch.equal(metric.kept, frames[:, :PROBE_SAMPLES])


def test_scores_of_each_step_are_asked_for_where_a_metric_needs_them_and_after_the_hooks_have_seen_the_forward() -> (
    None
):
    lines: list[str] = []

    class Stepwise(SmallNet):
        def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
            if not self.training and lines[-1] != "m start False":
                lines.append("steps")
            return super().scores_per_step(frames)

    class Listener(AnswerMetric):
        def __init__(self, needs_steps: bool) -> None:
            self.needs_steps = needs_steps  # type: ignore[misc]

        def update(self, answer: Answer, labels: torch.Tensor) -> None:
            lines.append(f"answer {tuple(answer.scores.shape)} {answer.per_step is not None}")

        def value(self) -> dict[str, Figure]:
            return {}

    frames, labels = some_frames(2, 5), torch.zeros(5)
    without_steps = Through(lambda m, x: x.sum((0, 2, 3))[:, :3])
    for model, needs_steps in ((Stepwise(), True), (Stepwise(), False), (without_steps, True)):
        metrics: dict[str, Metric] = {"a": Listener(needs_steps), "m": Diary(lines, "m")}
        measure(model, [(frames, labels)], metrics, CPU)
    diary = ["m start False", "m update 5 False"], ["m close", "m probe 5", "m value"]
    assert lines == [
        *(*diary[0], "steps", "answer (5, 3) True", *diary[1]),
        *(*diary[0], "answer (5, 3) False", *diary[1]),
        *(*diary[0], "answer (5, 3) False", *diary[1]),
    ]


def test_a_failed_run_closes_every_metric_and_probes_none() -> None:
    lines: list[str] = []
    with pytest.raises(RuntimeError, match="channels"):
        measure(SmallNet(), [(torch.zeros(2, 1, 9, 6, 5), torch.zeros(1))], {"a": Diary(lines, "a")}, CPU)
    assert lines == ["a start False", "a close"]


def test_a_figure_that_is_not_finite_is_refused() -> None:
    with pytest.raises(EventbenchError, match="m: the figure is nan; allowed: a finite number"):
        run(SmallNet(), Diary([], "a", float("nan")), some_frames(2, 3))
