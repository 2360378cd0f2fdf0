"""Exact counts of a layer's (weight, input) pairs in which both are non-zero.

An input element is multiplied by as many weights as connect it to the output: its *fan-out*, which depends on its
position (edges, stride), not on its value. So the pairs of a row are the sum of the fan-outs of its non-zero elements, and
the layer need not run a second time.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from eventbench.metrics._counters.base import Call, Rows, is_ternary

CONNECTIONS = (
    nn.Linear,
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_CHUNK_ELEMENTS = 2**24


def computes_a_connection(module: nn.Module) -> bool:
    """True for a Linear or a convolution, transposed ones too, or a subclass that computes the same."""
    return any(
        isinstance(module, kind)
        and type(module).forward is kind.forward
        and getattr(type(module), "_conv_forward", None) is getattr(kind, "_conv_forward", None)
        for kind in CONNECTIONS
    )


class Connections:
    """Counts the pairs of one layer. Fan-outs are cached until the weight is written to."""

    def __init__(self, layer: nn.Module) -> None:
        self._layer = layer
        self._weight_version: tuple[int, int] | None = None
        self._fan_outs: dict[tuple[torch.Size, torch.device], tuple[torch.Tensor, int]] = {}

    def inputs(self, call: Call) -> Sequence[tuple[torch.Tensor, int]]:
        """The input (*leading, features) of a Linear, or (*leading, channels, *space) of a convolution."""
        weight = self._layer.weight
        assert isinstance(weight, torch.Tensor)
        return [(call.x, call.x.ndim - (1 if isinstance(self._layer, nn.Linear) else weight.ndim - 1))]

    def count(self, call: Call) -> Sequence[Rows]:
        """Counts of the input; `dense` counts as if no weight and no input were zero; zero padding is no input."""
        ((x, axes),) = self.inputs(call)
        rows = x.reshape(-1, *x.shape[axes:])
        if not rows.numel():
            return [
                Rows(
                    x.new_zeros(x.shape[:axes], dtype=torch.int64),
                    x.new_ones(x.shape[:axes], dtype=torch.bool),
                    0,
                )
            ]
        fan_out, dense = self._fan_out(rows)
        pairs, ternary = [], []
        for chunk in torch.split(rows, max(1, _CHUNK_ELEMENTS // max(1, rows[0].numel()))):
            pairs.append(((chunk != 0) * fan_out).flatten(1).sum(1))
            ternary.append(is_ternary(chunk, 1))
        leading = x.shape[:axes]
        return [Rows(torch.cat(pairs).view(leading), torch.cat(ternary).view(leading), dense * len(rows))]

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
    if isinstance(layer, TRANSPOSED):
        return _transposed_fan_out(layer, connected, shape)
    assert isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d)
    # Which output a weight leads to does not matter, so all filters of a group are summed into one and each channel is
    # convolved by itself; the gradient of the summed output is then the number of weights that multiply each element.
    kernel = layer.kernel_size
    per_group = connected.view(layer.groups, -1, connected.shape[1], *kernel).sum(1)
    folded = per_group.reshape(shape[0], 1, *kernel)
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[len(kernel) - 1]
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


def _transposed_fan_out(
    layer: nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d,
    connected: torch.Tensor,
    shape: torch.Size,
) -> torch.Tensor:
    """As `_fan_out`, of a transposed convolution: the weights whose output is not cut off by the padding."""
    spread = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)[
        len(layer.kernel_size) - 1
    ]
    with torch.inference_mode(False), torch.enable_grad():
        folded = connected.sum(1, keepdim=True).clone()  # all outputs of an input channel in one
        x = torch.zeros(1, *shape, dtype=torch.float64, requires_grad=True)
        assert not isinstance(layer.padding, str)
        places = layer.stride, layer.padding, layer.output_padding
        y = spread(x, folded, None, *places, shape[0], layer.dilation)  # type: ignore[operator]
        (fan_out,) = torch.autograd.grad(y.sum(), x)
    return fan_out[0].round()
