"""Counters of recurrent layers, attention and transposed convolutions, against products counted one by one."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import pytest
import torch
from torch import nn

from eventbench.layers import RecurrentLIF
from eventbench.metrics._counters.base import Call, Rows
from eventbench.metrics._counting import counter_of

Total = tuple[int, int]


def called(layer: nn.Module, *args: Any, **kwargs: Any) -> Call:
    with torch.no_grad():
        return Call(args, kwargs, layer(*args, **kwargs))


def rows_of(layer: nn.Module, *args: Any, **kwargs: Any) -> list[Rows]:
    counter = counter_of(layer)
    assert counter is not None
    with torch.no_grad():
        return list(counter.count(called(layer, *args, **kwargs)))


def total(rows: list[Rows]) -> Total:
    return sum(int(factor.pairs.sum()) for factor in rows), sum(factor.dense for factor in rows)


def products(weight: torch.Tensor, x: torch.Tensor) -> int:
    """Of a matrix (O, F) and a vector (F,), one by one."""
    return sum(
        int(bool(weight[o, f]) and bool(x[f]))
        for o, f in itertools.product(range(len(weight)), range(len(x)))
    )


def sparse(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator) * (torch.rand(shape, generator=generator) < 0.5)


def with_zeros(layer: nn.Module) -> Any:
    for number, parameter in enumerate(layer.parameters()):
        parameter.data *= torch.rand(parameter.shape, generator=torch.Generator().manual_seed(number)) < 0.7
    return layer


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_a_cell_multiplies_input_and_state_with_its_weights_and_its_gates_with_each_other(kind: Any) -> None:
    torch.manual_seed(0)
    cell, x, h, c = with_zeros(kind(5, 3)), sparse(2, 5), sparse(2, 3, seed=1), sparse(2, 3, seed=2)
    state = (h, c) if kind is nn.LSTMCell else h
    rows = rows_of(cell, x, state)
    matrices = sum(products(cell.weight_ih, x[n]) + products(cell.weight_hh, h[n]) for n in range(2))
    gates = 0
    if (
        kind is nn.LSTMCell
    ):  # i, f, o are never zero; g, c and tanh(c) are not here, but for zeros of c before
        gates = 2 * 3 + 2 * 3 + int((c != 0).sum())
    elif kind is nn.GRUCell:
        of_h = h @ cell.weight_hh[6:].T + cell.bias_hh[6:]
        gates = int((of_h != 0).sum()) + 2 * 3 + int((h != 0).sum())
    dense = 2 * (cell.weight_ih.numel() + cell.weight_hh.numel()) + (0 if kind is nn.RNNCell else 2 * 3 * 3)
    assert total(rows) == (matrices + gates, dense)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_a_sequence_is_its_cells_one_after_the_other(
    kind: Any, bidirectional: bool, batch_first: bool
) -> None:
    torch.manual_seed(1)
    layer = with_zeros(kind(4, 3, num_layers=2, bidirectional=bidirectional, batch_first=batch_first))
    x = sparse(5, 2, 4)
    rows = rows_of(layer, x.transpose(0, 1) if batch_first else x)
    assert all(factor.pairs.shape == (2, 5) for factor in rows)
    expected = [0, 0]
    current = x
    for depth in range(2):
        outputs = []
        for suffix in ["", "_reverse"][: 1 + bidirectional]:
            cell = {nn.RNN: nn.RNNCell, nn.GRU: nn.GRUCell, nn.LSTM: nn.LSTMCell}[kind](current.shape[2], 3)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(cell, name).data = getattr(layer, f"{name}_l{depth}{suffix}").data
            state: Any = (torch.zeros(2, 3), torch.zeros(2, 3)) if kind is nn.LSTM else torch.zeros(2, 3)
            steps = list(current.unbind(0))
            made = []
            for step in reversed(steps) if suffix else steps:
                for place, count in enumerate(total(rows_of(cell, step, state))):
                    expected[place] += count
                with torch.no_grad():
                    state = cell(step, state)
                made.append(state[0] if kind is nn.LSTM else state)
            outputs.append(torch.stack(made[::-1] if suffix else made))
        current = torch.cat(outputs, 2)
    assert total(rows) == tuple(expected)
    with torch.no_grad():
        own = layer(x.transpose(0, 1) if batch_first else x)[0]
    torch.testing.assert_close(own.transpose(0, 1) if batch_first else own, current)


def test_the_projection_of_an_lstm_is_counted() -> None:
    torch.manual_seed(2)
    layer = nn.LSTM(4, 6, proj_size=2)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # torch says how it computes this
        rows = rows_of(layer, torch.rand(3, 2, 4))
    assert total(rows)[1] == 3 * 2 * (24 * 4 + 24 * 2 + 3 * 6 + 6 * 2)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("mask", [None, "boolean", "added", "padding"])
def test_attention_counts_its_projections_and_both_products(mask: str | None, batch_first: bool) -> None:
    torch.manual_seed(3)
    layer = with_zeros(nn.MultiheadAttention(6, 2, batch_first=batch_first))
    query, key, value = sparse(2, 4, 6), sparse(2, 5, 6, seed=1), sparse(2, 5, 6, seed=2)
    hidden = torch.zeros(4, 5, dtype=torch.bool)
    hidden[0, 1:] = True
    options: dict[str, Any] = {}
    if mask == "boolean":
        options["attn_mask"] = hidden
    elif mask == "added":
        options["attn_mask"] = torch.zeros(4, 5).masked_fill(hidden, -torch.inf)
    elif mask == "padding":
        options["key_padding_mask"] = torch.tensor([[False] * 4 + [True], [False] * 5])
    inputs = [x if batch_first else x.transpose(0, 1) for x in (query, key, value)]
    rows = rows_of(layer, *inputs, **options)
    with torch.no_grad():
        _, weights = layer(*inputs, **options, average_attn_weights=False)  # (B, heads, L, S)
        projected = [
            nn.functional.linear(x, w, b)
            for x, w, b in zip(
                (query, key, value), layer.in_proj_weight.chunk(3), layer.in_proj_bias.chunk(3), strict=True
            )
        ]
    effective = 0
    for n in range(2):
        for x, w in zip((query, key, value), layer.in_proj_weight.chunk(3), strict=True):
            effective += sum(products(w, token) for token in x[n])
        q, k, v = (p[n].unflatten(1, (2, 3)) for p in projected)
        for head, i, j, d in itertools.product(range(2), range(4), range(5), range(3)):
            effective += int(bool(q[i, head, d]) and bool(k[j, head, d]))
            effective += int(bool(weights[n, head, i, j]) and bool(v[j, head, d]))
        attended = torch.einsum("hls,shd->lhd", weights[n], v).flatten(1)
        effective += sum(products(layer.out_proj.weight, token) for token in attended)
    dense = 2 * ((4 + 5 + 5 + 4) * 36 + 2 * 4 * 5 * 6)
    assert total(rows) == (effective, dense)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), (2, 5)),
        (nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, groups=2), (4, 3, 4)),
        (nn.ConvTranspose2d(2, 2, 2, dilation=2), (2, 3, 3)),
        (nn.ConvTranspose3d(2, 2, 2, stride=2), (2, 2, 3, 2)),
        (nn.Conv3d(2, 4, 2, padding=1, stride=2, groups=2), (2, 3, 3, 4)),
    ],
)
def test_convolutions_of_every_kind_count_what_reaches_an_output(layer: Any, shape: tuple[int, ...]) -> None:
    """Each input element alone, with weights of one: the sum of the output is how many weights it meets."""
    layer = with_zeros(layer)
    x = sparse(1, *shape)
    expected = dense = 0
    binary = type(layer)(
        layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding, bias=False,
        dilation=layer.dilation, groups=layer.groups,
        **({"output_padding": layer.output_padding} if hasattr(layer, "output_padding") and layer.transposed else {}),
    )  # fmt: skip
    for place in itertools.product(*map(range, shape)):
        one = torch.zeros(1, *shape)
        one[0][place] = 1
        with torch.no_grad():
            binary.weight.copy_(layer.weight != 0)
            expected += round(float(binary(one).sum())) if x[0][place] else 0
            binary.weight.fill_(1)
            dense += round(float(binary(one).sum()))
    assert total(rows_of(layer, x)) == (expected, dense)


def test_spikes_that_are_fed_back_are_counted_from_the_step_before_and_from_a_state() -> None:
    torch.manual_seed(4)
    layer, x = RecurrentLIF(4), 3 * torch.rand(5, 2, 4)
    with torch.no_grad():
        spikes, state = layer(x, None)
    fan_out = (layer.recurrent.weight != 0).sum(0)
    (rows,) = rows_of(layer, x)
    assert int(rows.pairs.sum()) == int((spikes[:-1] * fan_out).sum())
    assert rows.ternary.all()
    assert rows.dense == 5 * 2 * 16
    (rows,) = rows_of(layer, x, state)
    with torch.no_grad():
        more = layer(x, state)[0]
    assert int(rows.pairs.sum()) == int((spikes[-1:] * fan_out).sum() + (more[:-1] * fan_out).sum())
