"""Exact counts of a layer's (weight, input) pairs in which both are non-zero.

An input element is multiplied by as many weights as connect it to the output: its *fan-out*, which depends on its
position (edges, stride), not on its value. So the pairs of a row are the sum of the fan-outs of its non-zero elements, and
the layer need not run a second time.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

COUNTED = (nn.Linear, nn.Conv1d, nn.Conv2d)
_CHUNK_ELEMENTS = 2**24


def is_counted(module: nn.Module) -> bool:
    """True for a Linear, Conv1d or Conv2d, or a subclass that computes the same."""
    return any(
        isinstance(module, kind)
        and type(module).forward is kind.forward
        and getattr(type(module), "_conv_forward", None) is getattr(kind, "_conv_forward", None)
        for kind in COUNTED
    )


class Rows(NamedTuple):
    """Counts of an input.

    `pairs` of each row and whether its values are all -1, 0 or 1 (`ternary`), both shaped as the input's leading axes;
    `dense`, the pairs of all rows as if nothing were zero.
    """

    pairs: torch.Tensor
    ternary: torch.Tensor
    dense: int


class Pairs:
    """Counts the pairs of one layer. Fan-outs are cached until the weight is written to."""

    def __init__(self, layer: nn.Module) -> None:
        self._layer = layer
        self._weight_version: tuple[int, int] | None = None
        self._fan_outs: dict[tuple[torch.Size, torch.device], tuple[torch.Tensor, int]] = {}

    def leading(self, x: torch.Tensor) -> tuple[int, ...] | None:
        """The lengths of the axes of the layer's input that hold steps and samples; None for an input without any."""
        axes = 1 if isinstance(self._layer, nn.Linear) else self._layer.weight.ndim - 1  # type: ignore[operator, union-attr]
        leading = tuple(x.shape[: x.ndim - axes])
        return leading or None

    def count(self, x: torch.Tensor) -> Rows:
        """Counts of an input x (*leading, features) of a Linear, or (rows, channels, *space) of a convolution.

        `dense` counts the pairs of all rows as if no weight and no input were zero; zero padding is no input.
        """
        leading = self.leading(x) or ()
        rows = x.reshape(-1, *x.shape[len(leading) :])
        fan_out, dense = self._fan_out(rows)
        pairs, ternary = [], []
        for chunk in torch.split(rows, max(1, _CHUNK_ELEMENTS // max(1, rows[0].numel()))):
            pairs.append(((chunk != 0) * fan_out).flatten(1).sum(1))
            ternary.append(((chunk == 0) | (chunk.abs() == 1)).flatten(1).all(1))
        return Rows(torch.cat(pairs).view(leading), torch.cat(ternary).view(leading), dense * len(rows))

    def _fan_out(self, rows: torch.Tensor) -> tuple[torch.Tensor, int]:
        weight = self._layer.weight
        assert isinstance(weight, torch.Tensor)
        writes = 0 if weight.is_inference() else weight._version  # noqa: SLF001  # torch counts writes only here
        weight_version = weight.data_ptr(), writes
        if weight_version != self._weight_version:
            self._weight_version, self._fan_outs = weight_version, {}
        key = rows.shape[1:], rows.device
        if key not in self._fan_outs:
            connected = (weight.detach() != 0).cpu().double()
            fan_out = _fan_out(self._layer, connected, rows.shape[1:])
            dense = _fan_out(self._layer, torch.ones_like(connected), rows.shape[1:])
            self._fan_outs[key] = fan_out.to(rows.device, torch.int32), int(dense.sum())
        return self._fan_outs[key]


def _fan_out(layer: nn.Module, connected: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """For each input element of one row, the number of weights that multiply it; `connected` is 1 for those, else 0."""
    if isinstance(layer, nn.Linear):
        return connected.sum(0)
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    # Which output a weight leads to does not matter, so all filters of a group are summed into one and each channel is
    # convolved by itself; the gradient of the summed output is then the number of weights that multiply each element.
    kernel = layer.kernel_size
    per_group = connected.view(layer.groups, -1, connected.shape[1], *kernel).sum(1)
    folded = per_group.reshape(shape[0], 1, *kernel)
    convolve = functional.conv1d if isinstance(layer, nn.Conv1d) else functional.conv2d
    with torch.inference_mode(False), torch.enable_grad():
        folded = folded.clone()  # a tensor made in inference mode cannot be used under autograd
        x = torch.zeros(1, *shape, dtype=torch.float64, requires_grad=True)
        padding = layer.padding
        padded = x
        if layer.padding_mode != "zeros":
            sides = layer._reversed_padding_repeated_twice  # noqa: SLF001  # the padding that the layer itself applies
            padded = functional.pad(x, sides, mode=layer.padding_mode)
            padding = (0,) * len(kernel)
        y = convolve(padded, folded, None, layer.stride, padding, layer.dilation, shape[0])  # type: ignore[operator]
        (fan_out,) = torch.autograd.grad(y.sum(), x)
    return fan_out[0].round()
