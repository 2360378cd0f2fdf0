"""NeuroBench's own counts beside ours, layer by layer; where they differ, why."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from eventbench.metrics._counters.base import Call
from eventbench.metrics._counting import counter_of

single_layer_macs = pytest.importorskip(
    "neurobench.metrics.utils.layers", reason="needs neurobench: make test installs it"
).single_layer_MACs


def dense_and_effective(layer: nn.Module, *args: Any) -> tuple[int, int]:
    counter = counter_of(layer)
    assert counter is not None
    with torch.no_grad():
        rows = counter.count(Call(args, {}, layer(*args)))
    return sum(factor.dense for factor in rows), sum(int(factor.pairs.sum()) for factor in rows)


def of_neurobench(layer: nn.Module, inputs: Any) -> tuple[int, int]:
    return single_layer_macs(inputs, layer, total=True)[0], single_layer_macs(inputs, layer)[0]


def sparse(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(shape, generator=generator) * (torch.rand(shape, generator=generator) < 0.4)


LAYERS: list[tuple[nn.Module, torch.Tensor]] = [
    (nn.Linear(7, 3), sparse(4, 7)),
    (nn.Conv1d(2, 3, 3, padding=1, stride=2), sparse(2, 2, 9)),
    (nn.Conv2d(4, 6, 3, padding=1, groups=2), sparse(2, 4, 5, 6)),
    (nn.Conv2d(2, 2, (3, 1), dilation=2), sparse(2, 2, 7, 5)),
    (nn.Conv3d(2, 4, 2, stride=2), sparse(2, 2, 4, 4, 5)),
]


@pytest.mark.parametrize(("layer", "x"), LAYERS, ids=lambda value: type(value).__name__)
def test_connections_are_counted_as_neurobench_counts_them(layer: Any, x: torch.Tensor) -> None:
    for binary in (False, True):
        inputs = (x != 0).float() if binary else x
        layer.weight.data[layer.weight.abs() < 0.05] = 0
        assert dense_and_effective(layer, inputs) == of_neurobench(layer, inputs.clone())


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
def test_cells_are_counted_as_neurobench_counts_them_where_no_number_is_zero(kind: Any) -> None:
    torch.manual_seed(0)
    cell, x, h, c = kind(5, 3), torch.rand(4, 5), torch.rand(4, 3), torch.rand(4, 3)
    state = (h, c) if kind is nn.LSTMCell else h
    ours, theirs = dense_and_effective(cell, x, state), of_neurobench(cell, (x, state))
    assert ours == theirs


def test_a_sequence_that_neurobench_refuses_is_counted() -> None:
    layer, x = nn.LSTM(5, 3), torch.rand(6, 2, 5)
    with pytest.raises(TypeError):
        of_neurobench(layer, x)
    assert dense_and_effective(layer, x)[0] == 6 * 2 * (12 * 5 + 12 * 3 + 3 * 3)


def test_a_batch_of_one_binary_sample_and_another_is_told_apart_where_neurobench_calls_all_of_it_macs() -> (
    None
):
    layer, x = nn.Linear(7, 3), sparse(2, 7)
    x[0] = (x[0] != 0).float()
    assert not single_layer_macs(x.clone(), layer)[1]  # "spiking" is False for both
    counter = counter_of(layer)
    assert counter is not None
    (rows,) = counter.count(Call((x,), {}, None))
    assert rows.ternary.tolist() == [True, False]
