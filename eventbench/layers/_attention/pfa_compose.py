"""PFA's map and its fusion with the input, forward and backward, without keeping the map.

At step t, M[n, c, p] = Σ_r (λ_r v_T[n,t,r] v_C[n,c,r]) v_S[n,r,p] with pixels p. The map is computed in the memory
order of the input, pixels or channels last, and computed again in the backward pass: by one matrix product per step on
the CPU, in the registers of one Triton kernel for all steps on CUDA.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from eventbench.layers._attention.gating import Tensors, steps_at_once
from eventbench.layers._lif.backend import HAS_TRITON


class _Steps(NamedTuple):
    """The factors of the maps of some time steps, in memory order: maps (rows, left, right) = left @ rightᵀ."""

    time: slice
    left: torch.Tensor  # (rows, left, R)
    right: torch.Tensor  # (rows, right, R)


class _Order:
    """The memory order of x: pixels last (rows, C, H·W), or channels last (rows, H·W, C)."""

    def __init__(self, x: torch.Tensor, factors: Tensors) -> None:
        self.over_time, self.over_channels, space = factors
        self.pixels = space.flatten(2).mT.contiguous()  # (N, H·W, R)
        self.shape, self.at_once = x.shape, x.shape[0] if in_registers(x) else steps_at_once(x)
        channels_last = x.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)
        self.channels_last = channels_last and not x.is_contiguous()
        self._map: torch.Tensor | None = None

    def flat(self, maps: torch.Tensor) -> torch.Tensor:
        """(s, N, C, H, W) -> rows in memory order; a view if the maps have that order."""
        images = maps.flatten(0, 1)
        return images.permute(0, 2, 3, 1).flatten(1, 2) if self.channels_last else images.flatten(2)

    def dense(self, maps: torch.Tensor) -> torch.Tensor:
        """The same as `flat`, but dense: a copy if the maps are not dense in that order."""
        return self.flat(maps).contiguous()

    def images(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows of some steps as (s, N, C, H, W): the inverse of `flat`."""
        _, N, C, H, W = self.shape
        if self.channels_last:
            return rows.view(-1, N, H, W, C).permute(0, 1, 4, 2, 3)
        return rows.view(-1, N, C, H, W)

    def steps(self) -> Iterator[_Steps]:
        for t in range(0, self.shape[0], self.at_once):
            time = slice(t, t + self.at_once)
            # Khatri-Rao product of time and channels: (s·N, C, R)
            pairs = self.over_time[:, time].transpose(0, 1)[:, :, None] * self.over_channels
            pixels = self.pixels.expand(self.at_once, *self.pixels.shape).flatten(0, 1)
            left, right = pairs.flatten(0, 1), pixels
            yield _Steps(time, right, left) if self.channels_last else _Steps(time, left, right)

    def map(self, steps: _Steps) -> torch.Tensor:
        """M at some steps (s, N, C, H, W), in a buffer that the next call overwrites."""
        if (
            self._map is None
        ):  # one buffer for all steps: new memory pages cost more than the product that fills them
            self._map = steps.left.new_empty((*steps.left.shape[:2], steps.right.shape[1]))
        torch.bmm(steps.left, steps.right.mT, out=self._map)
        return self.images(self._map)

    def sums(self, steps: _Steps, rows: torch.Tensor) -> Tensors:
        """Gradients of pairs (s, N, C, R) and pixels (N, H·W, R), from that of the map in the form of `flat`."""
        sums = [
            torch.unflatten(rows @ steps.right, 0, (self.at_once, -1)),
            torch.unflatten(rows.mT @ steps.left, 0, (self.at_once, -1)),
        ]
        pairs, pixels = reversed(sums) if self.channels_last else sums
        return pairs, pixels.sum(0)


def in_registers(x: torch.Tensor) -> bool:
    """Whether the map is computed by Triton kernels, in registers."""
    return x.device.type == "cuda" and HAS_TRITON


def _triton() -> Any:
    from eventbench.layers._attention import pfa_triton

    return pfa_triton


def compose(x: torch.Tensor, factors: Tensors, fusion: str) -> torch.Tensor:
    """x (T, N, C, H, W) fused with the map of factors (N, T, R), (N, C, R), (N, R, H, W)."""
    y = torch.empty_like(x)
    if x.numel() == 0:
        return y
    order = _Order(x, factors)
    for steps in order.steps():
        if in_registers(x):
            return order.images(_triton().forward(order.dense(x), steps.left, steps.right, fusion))
        gate, inputs, out = order.map(steps), x[steps.time], y[steps.time]
        torch.add(inputs, gate, out=out) if fusion == "add_relu" else torch.mul(inputs, gate, out=out)
        if fusion != "multiply":
            out.relu_()
    return y


def compose_backward(
    x: torch.Tensor, grad_output: torch.Tensor, factors: Tensors, fusion: str
) -> tuple[torch.Tensor, Tensors]:
    """Gradients of x, through the fusion alone, and of the three factors."""
    over_time, over_channels, space = factors
    grad_time, grad_channels = torch.zeros_like(over_time), torch.zeros_like(over_channels)
    grad_x = torch.empty_like(x)
    if x.numel() == 0:
        return grad_x, (grad_time, grad_channels, torch.zeros_like(space))
    order = _Order(x, factors)
    grad_pixels = torch.zeros_like(order.pixels)
    for steps in order.steps():
        time = steps.time
        if in_registers(x):
            dense = order.dense(x), order.dense(grad_output)
            rows, grad_maps = _triton().backward(*dense, steps.left, steps.right, fusion)
            grad_x = order.images(rows)
        else:
            gate = order.map(steps)
            grad_maps = order.flat(_fuse_back(gate, x[time], grad_output[time], grad_x[time], fusion))
        grad_pairs, step_grad_pixels = order.sums(steps, grad_maps)
        grad_pixels += step_grad_pixels
        grad_time[:, time] = (grad_pairs * over_channels).sum(2).transpose(0, 1)
        grad_channels += torch.einsum("sncr,nsr->ncr", grad_pairs, over_time[:, time])
    return grad_x, (grad_time, grad_channels, grad_pixels.mT.reshape(space.shape))


def _fuse_back(
    gate: torch.Tensor, inputs: torch.Tensor, grad: torch.Tensor, grad_inputs: torch.Tensor, fusion: str
) -> torch.Tensor:
    """Fill `grad_inputs`, the gradient of x at some steps; return that of the map, in the memory of `gate`."""
    if fusion == "add_relu":
        gate += inputs
        torch.ops.aten.threshold_backward(grad.to(gate.dtype), gate, 0, grad_input=gate)
        grad_inputs.copy_(gate)
        return gate
    torch.mul(grad, gate, out=grad_inputs)
    torch.mul(grad, inputs, out=gate)
    if fusion == "multiply_relu":  # the map is positive, so the sign of the product is the input's
        positive = inputs > 0
        grad_inputs *= positive
        gate *= positive
    return gate
