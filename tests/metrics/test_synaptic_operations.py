"""Synaptic operations against pairs counted one by one, and everything that must be refused."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from eventbench.errors import NotCounted
from eventbench.metrics.base import Figure, measure
from eventbench.metrics.synaptic_operations import SynapticOperations
from tests.support.measured import figures_or_reason
from tests.support.small_nets import Fire, Gate, SmallNet, Through, batched, some_frames, whole

CPU = torch.device("cpu")
Counts = tuple[float, float, float]


def run(model: nn.Module, frames: torch.Tensor, size: int = 3) -> dict[str, Figure]:
    labels = torch.zeros(frames.shape[1], dtype=torch.int64)
    return figures_or_reason(measure(model, batched(frames, labels, size), {"s": SynapticOperations()}, CPU))


def counts(model: nn.Module, frames: torch.Tensor, size: int = 3) -> Counts:
    """ACs, MACs and dense operations of all samples together."""
    figures, n = run(model, frames, size), frames.shape[1]
    return tuple(round(figures[f"s.{k}"].value * n) for k in ("effective_acs", "effective_macs", "dense"))  # type: ignore[return-value]


def pairs_one_by_one(layer: nn.Linear | nn.Conv1d | nn.Conv2d, row: np.ndarray) -> tuple[int, int]:
    """Oracle: (effective, dense) products of one row (F,) or (C, *space), by walking over them."""
    weight = layer.weight.detach().numpy()
    effective = dense = 0
    if isinstance(layer, nn.Linear):
        for o, i in itertools.product(*map(range, weight.shape)):
            dense += 1
            effective += weight[o, i] != 0 and row[i] != 0
        return effective, dense
    sizes, kernel = row.shape[1:], layer.kernel_size
    if layer.padding == "same":
        reach = [d * (k - 1) for d, k in zip(layer.dilation, kernel, strict=True)]
        pads = [(r // 2, r - r // 2) for r in reach]
    elif layer.padding == "valid":
        pads = [(0, 0)] * len(sizes)
    else:
        pads = [(int(p), int(p)) for p in layer.padding]
    outputs = [
        (n + a + b - d * (k - 1) - 1) // s + 1
        for n, (a, b), d, k, s in zip(sizes, pads, layer.dilation, kernel, layer.stride, strict=True)
    ]
    inside = layer.in_channels // layer.groups
    filters = layer.out_channels // layer.groups
    for o in range(layer.out_channels):
        first = o // filters * inside
        for place in itertools.product(*map(range, outputs)):
            for i, tap in itertools.product(range(inside), itertools.product(*map(range, kernel))):
                at = [
                    p * s + t * d - a
                    for p, s, t, d, (a, _) in zip(place, layer.stride, tap, layer.dilation, pads, strict=True)
                ]
                where = [beyond(x, n, layer.padding_mode) for x, n in zip(at, sizes, strict=True)]
                if None in where:
                    continue
                dense += 1
                effective += weight[(o, i, *tap)] != 0 and row[(first + i, *where)] != 0
    return effective, dense


def beyond(x: int, n: int, mode: str) -> int | None:
    """The input coordinate that stands at x, which may lie outside 0 <= x < n."""
    if 0 <= x < n:
        return x
    if mode == "zeros":
        return None
    if mode == "circular":
        return x % n
    if mode == "replicate":
        return min(max(x, 0), n - 1)
    return -x if x < 0 else 2 * (n - 1) - x  # reflect


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[nn.Conv1d | nn.Conv2d, torch.Tensor]:
    """A convolution with sparse weights, and rows for it."""
    axes = draw(st.sampled_from([1, 2]))
    small = st.integers(1, 3)
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    kernel = tuple(draw(small) for _ in range(axes))
    dilation = tuple(draw(st.integers(1, 2)) for _ in range(axes))
    stride = tuple(draw(small) for _ in range(axes))
    sizes = tuple(draw(st.integers(1, 6)) for _ in range(axes))
    mode = draw(st.sampled_from(["zeros", "zeros", "circular", "replicate", "reflect"]))
    padding: Any = tuple(draw(st.integers(0, 2)) for _ in range(axes))
    words = draw(st.sampled_from([None, None, "same", "valid"]))
    if words == "same":
        # torch warns that it copies for odd total padding, which warnings-as-errors would turn into failures
        assume(all(d * (k - 1) % 2 == 0 for d, k in zip(dilation, kernel, strict=True)))
        stride, padding = (1,) * axes, "same"
        pads = [d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True)]
    elif words == "valid":
        padding, pads = "valid", [0] * axes
    else:
        pads = list(padding)
    assume(mode == "zeros" or all(p < n for p, n in zip(pads, sizes, strict=True)))
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    assume(all(n + 2 * p >= s for n, p, s in zip(sizes, pads, spans, strict=True)))
    inputs, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kind: Any = nn.Conv1d if axes == 1 else nn.Conv2d
    layer = kind(
        inputs,
        outputs,
        kernel,
        stride,
        padding,
        dilation,
        groups,
        bias=draw(st.booleans()),
        padding_mode=mode,
    )
    seed = draw(st.integers(0, 999))
    rows = torch.randint(-1, 3, (4, inputs, *sizes), generator=torch.Generator().manual_seed(seed))
    whole(layer, seed)
    return layer, rows.float()


def feed(layer: nn.Module, rows: torch.Tensor, steps: int) -> tuple[nn.Module, torch.Tensor]:
    """A model that gives its layer the rows (steps * N, ...), through frames of the contract's shape."""
    frames = rows.reshape(steps, -1, 1, 1, rows[0].numel())
    shape = rows.shape[1:]
    return Through(
        lambda m, x: m.layer(x.reshape(-1, *shape)).reshape(x.shape[0], x.shape[1], -1).sum(0), layer=layer
    ), frames


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(convolutions(), st.sampled_from([1, 2, 4]))
def test_convolutions_agree_with_pairs_counted_one_by_one(
    drawn: tuple[nn.Conv1d | nn.Conv2d, torch.Tensor], steps: int
) -> None:
    layer, rows = drawn
    expected = np.zeros(3, dtype=int)
    for sample in rows.reshape(steps, -1, *rows.shape[1:]).unbind(1):
        each = [pairs_one_by_one(layer, row.numpy()) for row in sample]
        effective, dense = np.sum(each, axis=0)
        binary = bool(((sample == 0) | (sample == 1) | (sample == -1)).all())
        expected += [effective * binary, effective * (not binary), dense]
    assert counts(*feed(layer, rows, steps)) == tuple(expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 99), st.booleans())
def test_linear_layers_agree_with_pairs_counted_one_by_one(
    inputs: int, outputs: int, seed: int, flat: bool
) -> None:
    layer = whole(nn.Linear(inputs, outputs), seed)
    frames = torch.randint(-1, 3, (2, 5, 1, 1, inputs), generator=torch.Generator().manual_seed(seed)).float()
    expected = np.zeros(3, dtype=int)
    for sample in frames.unbind(1):
        each = [pairs_one_by_one(layer, row.flatten().numpy()) for row in sample]  # type: ignore[arg-type]
        effective, dense = np.sum(each, axis=0)
        binary = bool((sample.abs() <= 1).all())
        expected += [effective * binary, effective * (not binary), dense]

    def forward(m: Any, x: torch.Tensor) -> Any:
        return m.fc(x.flatten(0, 3)).unflatten(0, x.shape[:2]).sum(0) if flat else m.fc(x.flatten(2)).sum(0)

    assert counts(Through(forward, fc=layer), frames) == tuple(expected)


# Additions or multiply-adds


@pytest.mark.slow
@given(st.integers(1, 9), st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_no_figure_depends_on_the_batch_size_or_on_who_else_is_in_the_batch(size: int, seed: int) -> None:
    frames = some_frames(4, 9, seed=seed)
    alone = np.sum([counts(SmallNet(), frames[:, i : i + 1], 1) for i in range(9)], axis=0)
    assert counts(SmallNet(), frames, size) == tuple(alone)


def test_one_count_above_one_makes_that_sample_multiply_and_no_other() -> None:
    frames = torch.ones(2, 3, 1, 1, 4)
    frames[1, 2, 0, 0, 0] = 2
    model = Through(lambda m, x: m.fc(x.flatten(2)).sum(0), fc=nn.Linear(4, 5))
    assert counts(model, frames) == (2 * 40, 40, 120)


def test_a_gate_is_counted_and_turns_the_next_layers_additions_into_multiply_adds() -> None:
    frames = torch.ones(2, 3, 2, 1, 4)

    def forward(m: Any, x: torch.Tensor) -> Any:
        return m.fc(m.gate(x).flatten(2)).sum(0)

    plain = counts(Through(forward, gate=nn.Identity(), fc=nn.Linear(8, 5)), frames)
    gated = counts(Through(forward, gate=Gate(), fc=nn.Linear(8, 5)), frames)
    assert plain == (2 * 3 * 40, 0, 2 * 3 * 40)
    assert gated == (0, 2 * 3 * (40 + 8), 2 * 3 * (40 + 8))


def test_zero_weights_are_skipped_and_seen_when_written_in_place() -> None:
    layer = nn.Linear(4, 5)
    model = Through(lambda m, x: m.fc(x.flatten(2)).sum(0), fc=layer)
    frames = torch.ones(1, 2, 1, 1, 4)
    metric = SynapticOperations()
    metric.start(model, CPU)
    with torch.no_grad():
        model(frames)
        metric.update(frames)
        layer.weight[:, 0] = 0
        model(frames)
        metric.update(frames)
    metric.close()
    assert metric.value()["effective_acs"].value == (2 * 20 + 2 * 15) / 4
    assert metric.value()["dense"].value == 20


# Orders of rows


def orders() -> list[Any]:
    def merged(m: Any, x: torch.Tensor) -> Any:
        return m.fc(x.flatten(2).flatten(0, 1)).unflatten(0, x.shape[:2]).sum(0)

    def apart(m: Any, x: torch.Tensor) -> Any:
        return m.fc(x.flatten(2)).sum(0)

    def sample_first(m: Any, x: torch.Tensor) -> Any:
        return m.fc(x.flatten(2).transpose(0, 1)).sum(1)

    def step_by_step(m: Any, x: torch.Tensor) -> Any:
        return torch.stack([m.fc(step.flatten(1)) for step in x]).sum(0)

    return [merged, apart, sample_first, step_by_step]


@pytest.mark.parametrize("forward", orders(), ids=lambda f: f.__name__)
@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_every_order_of_rows_gives_the_same_figures_also_where_t_equals_n(forward: Any, size: int) -> None:
    frames = some_frames(4, 8)
    frames[3, 1::2] = 5  # only the last step tells that a sample is not binary
    frames[:3].clamp_(max=1)
    layer = whole(nn.Linear(60, 3))
    binary = frames[:, ::2]
    acs = int(((binary.flatten(2) != 0) * torch.ne(layer.weight, 0).sum(0)).sum())
    assert counts(Through(forward, fc=layer), frames, size)[0] == acs


def test_without_a_probe_an_order_that_cannot_be_told_is_not_counted() -> None:
    frames = some_frames(4, 4)
    frames[3, 1::2] = 5
    frames[:3].clamp_(max=1)
    model, metric = Through(orders()[1], fc=whole(nn.Linear(60, 3))), SynapticOperations()
    metric.start(model, CPU)
    model(frames)
    metric.update(frames)
    metric.close()
    with pytest.raises(
        NotCounted, match="which rows of the input of 'fc' belong to which sample is not known"
    ):
        metric.value()


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_rows_of_all_steps_of_a_sample_after_each_other_are_found_out(size: int) -> None:
    """(N·T, F) looks like (T·N, F): a wrong guess gave 2,473 operations at batch 1 and 0 at batch 8."""
    frames, layer = some_frames(4, 8), whole(nn.Linear(60, 3))

    def by_time(m: Any, x: torch.Tensor) -> Any:
        return m.fc(x.flatten(0, 1).flatten(1)).unflatten(0, x.shape[:2]).sum(0)

    def by_sample(m: Any, x: torch.Tensor) -> Any:
        samples = x.transpose(0, 1)
        return m.fc(samples.flatten(0, 1).flatten(1)).unflatten(0, samples.shape[:2]).sum(1)

    assert counts(Through(by_sample, fc=layer), frames, size) == counts(Through(by_time, fc=layer), frames, 1)


def test_rows_in_no_known_order_are_not_counted() -> None:
    model = Through(lambda m, x: m.fc(x.flatten(2).permute(2, 1, 0)).sum((0, 2))[:, None], fc=nn.Linear(4, 3))
    assert counts(model, some_frames(4, 6))  # (60, N, T) is: the second axis is that of samples
    mixed = Through(
        lambda m, x: (
            m.fc(x.permute(2, 1, 0, 3, 4).flatten(0, 2).flatten(1)).sum() + x.sum((0, 2, 3, 4))[:, None]
        ),
        fc=nn.Linear(30, 3),
    )
    with pytest.raises(NotCounted, match="which rows of the input of 'fc' belong"):
        run(mixed, some_frames(4, 6))


def test_attention_over_samples_first_is_counted() -> None:
    """Conv1d over (N, T, C), as TCJA's, and Conv2d over (N, T, H, W), as PFA's."""
    conv, wide = whole(nn.Conv1d(4, 4, 3)), whole(nn.Conv2d(4, 2, 3, padding=1))

    def forward(m: Any, x: torch.Tensor) -> Any:
        first = m.conv(x.sum((3, 4)).transpose(0, 1).repeat(1, 1, 2)).flatten(1)
        return torch.cat([first, m.wide(x.sum(2).transpose(0, 1)).flatten(1)], 1)

    frames = some_frames(4, 5)
    expected = np.zeros(3, dtype=int)
    for sample in frames.unbind(1):
        for layer, row in ((conv, sample.sum((2, 3)).repeat(1, 2)), (wide, sample.sum(1))):
            effective, dense = pairs_one_by_one(layer, row.numpy())  # type: ignore[arg-type]
            binary = bool((row <= 1).all())
            expected += [effective * binary, effective * (not binary), dense]
    assert counts(Through(forward, conv=conv, wide=wide), frames) == tuple(expected)


# What a module declares itself


class Means(nn.Module):
    """Distances to stored means: products that no layer holds."""

    def __init__(self, answer: Any = None) -> None:
        super().__init__()
        self.means = nn.Parameter(torch.ones(3, 60))
        self.answer = answer

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return frames.sum(0).flatten(1) @ self.means.T

    def count_synaptic_operations(self, inputs: torch.Tensor) -> Any:
        if self.answer is not None:
            return self.answer
        macs = 3 * (inputs.sum(0).flatten(1) != 0).sum(1)
        return torch.zeros_like(macs), macs, torch.full_like(macs, self.means.numel())


def test_a_module_may_count_its_own_operations_also_when_it_is_the_model() -> None:
    frames = some_frames(4, 7)
    macs = 3 * int((frames.sum(0) != 0).sum())
    assert counts(Means(), frames) == (0, macs, 7 * 180)


def test_layers_within_a_module_that_counts_its_own_operations_are_still_counted() -> None:
    model = Means()
    fc = nn.Linear(60, 3)
    model.add_module("fc", fc)
    model.forward = lambda x: fc(x.sum(0).flatten(1))  # type: ignore[method-assign, assignment]
    assert counts(model, some_frames(4, 7))[2] == 7 * (180 + 180)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((1, 2, 3), "whole numbers"),
        (torch.zeros(3, 7), "whole numbers"),
        ((torch.zeros(7), torch.zeros(7)), "whole numbers"),
        ((torch.zeros(7), torch.zeros(7), torch.zeros(())), r"shape \(7,\)"),
        ((torch.zeros(7), torch.full((7,), 0.5), torch.zeros(7)), "parts of an operation"),
    ],
)
def test_counts_of_a_module_that_are_no_counts_are_refused(answer: Any, message: str) -> None:
    with pytest.raises(NotCounted, match=message):
        run(Means(answer), some_frames(4, 7), size=7)


# Nothing is skipped


class OutOfSight(nn.Module):
    """Multiplies where torch does not see it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(60, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(x.numpy() @ self.weight.detach().numpy())


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.Bilinear(60, 60, 3), "'odd' runs (bilinear|_trilinear) outside any layer that is counted"),
        (nn.PReLU(60), ""),
        (OutOfSight(), "'odd' runs what torch does not see on its parameter 'weight', outside any layer"),
        (
            type("Odd", (nn.Linear,), {"forward": lambda self, x: x @ self.weight.T})(60, 3),
            "'odd' runs mm outside",
        ),
        (nn.Linear(60, 3), "scripted: 'odd' is scripted, so its layers cannot be watched"),
    ],
)
def test_products_that_no_counter_knows_are_named_and_what_multiplies_no_matrix_is_free(
    layer: nn.Module, message: str
) -> None:
    if message.startswith("scripted: "):
        message = message.removeprefix("scripted: ")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            layer = torch.jit.script(layer)
    rows = (
        (lambda m, x: m.odd(x.sum(0).flatten(1), x.sum(0).flatten(1)))
        if isinstance(layer, nn.Bilinear)
        else None
    )
    model = Through(rows or (lambda m, x: m.odd(x.sum(0).flatten(1))), odd=layer)
    if not message:
        assert run(model, some_frames(4, 3)) == {}
        return
    with pytest.raises(NotCounted, match=message):
        run(model, some_frames(4, 3))


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda m, x: x.sum(0).flatten(1) @ m.kept.t, "the model itself runs (mm|matmul)"),
        (lambda m, x: torch.cdist(x.sum(0).flatten(1), m.kept.t.T), "cdist|euclidean"),
        (lambda m, x: nn.functional.linear(x.sum(0).flatten(1), m.kept.t.T), "runs (linear|addmm|mm)"),
        (
            lambda m, x: nn.functional.conv2d(x.sum(0), m.kept.t[:18].reshape(3, 2, 3, 3)).flatten(1),
            "runs .*conv",
        ),
        (
            lambda m, x: torch.einsum("tnf,fk->nk", x.flatten(2), m.kept.t),
            "outside any layer that is counted",
        ),
        (
            lambda m, x: (x.sum(0).flatten(1)[:, :, None] * m.kept.t).sum(1),
            "runs mul, a product of all pairs, outside any layer",
        ),
    ],
)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_product_outside_all_layers_is_refused(forward: Any, message: str, mode: Any) -> None:
    kept = nn.Module()
    kept.register_buffer("t", torch.ones(60, 3))
    with pytest.raises(NotCounted, match=message), mode():
        run(Through(forward, kept=kept, used=Fire()), some_frames(4, 3))


def test_a_layer_that_is_never_called_multiplies_nothing() -> None:
    frames = some_frames(4, 3)
    model = Through(lambda m, x: m.fc(x.flatten(2)).sum(0), fc=whole(nn.Linear(60, 3)), spare=nn.Linear(2, 2))
    alone = Through(lambda m, x: m.fc(x.flatten(2)).sum(0), fc=whole(nn.Linear(60, 3)))
    assert run(model, frames) == run(alone, frames)


def test_normalisation_and_a_neurons_own_parameters_are_free_but_not_a_matrix_it_multiplies_with() -> None:
    fire = Fire()
    fire.register_parameter("tau", nn.Parameter(torch.ones(2, 1, 1)))
    model = Through(
        lambda m, x: m.fire(m.norm(x.flatten(0, 1)).unflatten(0, x.shape[:2])).sum(0).flatten(1),
        norm=nn.BatchNorm2d(2),
        fire=fire,
    )
    assert run(model, some_frames(4, 3)) == {}


def test_a_model_in_which_nothing_multiplies_has_no_figures() -> None:
    assert run(Through(lambda m, x: x.sum(0).flatten(1)), some_frames(4, 3)) == {}


def test_forwards_that_are_not_scored_do_not_count_and_inference_mode_is_fine() -> None:
    model, metric, frames = SmallNet().eval(), SynapticOperations(), some_frames(4, 3)
    with torch.inference_mode():
        metric.start(model, CPU)
        model(some_frames(4, 5, seed=3))
        model(frames)
        metric.update(frames)
        model(frames)
        metric.close()
        metric.probe(model, frames)
    assert {f"s.{k}": v for k, v in metric.value().items()} == run(SmallNet(), frames)
