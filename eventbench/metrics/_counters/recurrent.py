"""Products of torch's RNN, GRU and LSTM, cells and whole sequences.

After NeuroBench's counts of cells (Yik et al., arXiv 2304.04640; `metrics/utils/layers/macs.py` of version 2.3): the input and
the hidden state times their weights, and the products of gates, element by element: f · c, i · g and o · tanh(c) of an LSTM;
r · (W h + b), (1 - z) · n and z · h of a GRU. A product is effective where neither factor is zero. The hidden state's and
the gates' are multiply-accumulates; the input's are additions where it is binary.

Differs from NeuroBench, which takes a gate for zero where its argument is (the sigmoid of 0 is 1/2), calls a whole cell
accumulates where its input is binary, and refuses sequences. Those are run again here, a cell at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.functional import linear

from eventbench.errors import NotCounted
from eventbench.metrics._counters.base import Call, Rows, matrix_rows, plain_rows

CELLS = (nn.RNNCell, nn.GRUCell, nn.LSTMCell)
State = tuple[torch.Tensor, torch.Tensor]


class _Weights(NamedTuple):
    """Of one cell; `projection` (outputs, hidden) of an LSTM with a projection."""

    kind: str
    of_input: torch.Tensor
    of_hidden: torch.Tensor
    input_bias: torch.Tensor | None
    hidden_bias: torch.Tensor | None
    projection: torch.Tensor | None = None


def _step(weights: _Weights, x: torch.Tensor, state: State) -> tuple[State, list[Rows]]:
    """The next (h, c) of x (B, F), and the products: of the input, of the hidden state, of gates, of the projection."""
    h, c = state
    of_x = linear(x, weights.of_input, weights.input_bias)
    of_h = linear(h, weights.of_hidden, weights.hidden_bias)
    rows = [matrix_rows(x, weights.of_input), matrix_rows(h, weights.of_hidden)]
    if weights.kind in ("RNN_TANH", "RNN_RELU"):
        activate = torch.tanh if weights.kind == "RNN_TANH" else torch.relu
        return (activate(of_x + of_h), c), rows
    if weights.kind == "GRU":
        (r_x, z_x, n_x), (r_h, z_h, n_h) = of_x.chunk(3, 1), of_h.chunk(3, 1)
        r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
        n = torch.tanh(n_x + r * n_h)
        products = [(r != 0) & (n_h != 0), (z != 1) & (n != 0), (z != 0) & (h != 0)]
        h = (1 - z) * n + z * h
    else:
        i, f, g, o = (of_x + of_h).chunk(4, 1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        products = [(f != 0) & (c != 0), (i != 0) & (g != 0)]
        c = f * c + i * g
        h = torch.tanh(c)
        products.append((o != 0) & (h != 0))
        h = o * h
    rows.append(plain_rows(torch.stack(products).sum((0, 2)), 3 * products[0].numel()))
    if weights.projection is not None:
        rows.append(matrix_rows(h, weights.projection))
        h = linear(h, weights.projection)
    return (h, c), rows


class CellCounter:
    """Counts an RNNCell, GRUCell or LSTMCell: input (B, F), state (B, H)."""

    def __init__(self, cell: nn.RNNCellBase) -> None:
        kind = "LSTM" if isinstance(cell, nn.LSTMCell) else "GRU" if isinstance(cell, nn.GRUCell) else ""
        self._kind = kind or ("RNN_RELU" if getattr(cell, "nonlinearity", "") == "relu" else "RNN_TANH")
        self._cell = cell

    def inputs(self, call: Call) -> Sequence[tuple[torch.Tensor, int]]:
        """The input (B, F)."""
        if call.x.ndim != 2:
            raise NotCounted(f"a {type(self._cell).__name__} was called with shape {tuple(call.x.shape)}")
        return [(call.x, 1)]

    def count(self, call: Call) -> Sequence[Rows]:
        """Of one step."""
        cell, x, given = self._cell, call.x, call.argument(1, "hx")
        zeros = x.new_zeros(len(x), cell.hidden_size)
        state = (zeros, zeros) if given is None else given if isinstance(given, tuple) else (given, zeros)
        weights = _Weights(self._kind, cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
        return _step(weights, x, state)[1]


class SequenceCounter:
    """Counts an RNN, GRU or LSTM of any number of layers and directions, over (L, B, F) or (B, L, F)."""

    def __init__(self, layer: nn.RNNBase) -> None:
        self._layer = layer
        mode = layer.mode
        self._kind = mode if mode in ("LSTM", "GRU", "RNN_TANH", "RNN_RELU") else "RNN_TANH"

    def inputs(self, call: Call) -> Sequence[tuple[torch.Tensor, int]]:
        """The input, (B, L, F)."""
        x = call.args[0] if call.args else call.kwargs["input"]
        if not isinstance(x, torch.Tensor) or x.ndim != 3:
            what = f"shape {tuple(x.shape)}" if isinstance(x, torch.Tensor) else type(x).__name__
            raise NotCounted(f"a {type(self._layer).__name__} was called with {what}")
        return [(x if self._layer.batch_first else x.transpose(0, 1), 2)]

    def count(self, call: Call) -> Sequence[Rows]:
        """Of all steps: each cell of each layer and direction has rows (B, L)."""
        layer, ((x, _),) = self._layer, self.inputs(call)
        directions = 2 if layer.bidirectional else 1
        given = call.argument(1, "hx")
        h0, c0 = given if isinstance(given, tuple) else (given, None)
        rows: list[Rows] = []
        for depth in range(layer.num_layers):
            outputs = []
            for direction in range(directions):
                place = depth * directions + direction
                weights = self._weights(depth, direction)
                width = weights.of_hidden.shape[1]
                h = x.new_zeros(len(x), width) if h0 is None else h0[place]
                c = x.new_zeros(len(x), layer.hidden_size) if c0 is None else c0[place]
                out, of_cell = _unrolled(weights, x, (h, c), backwards=bool(direction))
                outputs.append(out)
                rows += of_cell
            x = torch.cat(outputs, 2)
        return rows

    def _weights(self, depth: int, direction: int) -> _Weights:
        suffix = f"_l{depth}" + ("_reverse" if direction else "")

        def named(name: str) -> torch.Tensor | None:
            return getattr(self._layer, f"{name}{suffix}", None)

        of_input, of_hidden = named("weight_ih"), named("weight_hh")
        assert of_input is not None
        assert of_hidden is not None
        return _Weights(
            self._kind, of_input, of_hidden, named("bias_ih"), named("bias_hh"), named("weight_hr")
        )


def _unrolled(
    weights: _Weights, x: torch.Tensor, state: State, *, backwards: bool
) -> tuple[torch.Tensor, list[Rows]]:
    """Outputs (B, L, H) of x (B, L, F), and the products of all steps with rows (B, L)."""
    length = x.shape[1]
    outputs: list[torch.Tensor] = [x[:, 0]] * length
    steps: list[list[Rows]] = [[]] * length
    for t in reversed(range(length)) if backwards else range(length):
        state, steps[t] = _step(weights, x[:, t], state)
        outputs[t] = state[0]
    merged = [
        Rows(
            torch.stack([rows.pairs for rows in factor], 1),
            torch.stack([rows.ternary for rows in factor], 1),
            sum(rows.dense for rows in factor),
        )
        for factor in zip(*steps, strict=True)
    ]
    return torch.stack(outputs, 1), merged
