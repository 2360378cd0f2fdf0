"""Triton kernels that compute and use PFA's map in registers: one tile of an image per program, R products per element.

Forward reads x and writes the output. Backward reads x and the gradient of the output and writes the gradients of x and
of the map. The map itself is never in memory, where it would be written once and read at least twice.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from eventbench.layers._lif.triton_kernels import COMPUTE, on_device

FUSION_CODES = {"multiply": 0, "multiply_relu": 1, "add_relu": 2}
LARGEST_TILE, SMALLEST_TILE = 64, 16


@triton.jit
def _map(
    left_ptr, right_ptr, row, i, j, L, Q, R,
    DTYPE: tl.constexpr, TALL: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """A tile of left @ rightᵀ: R outer products in full precision, since R is small."""
    left_ptr += row * L * R + i.to(tl.int64) * R
    right_ptr += row * Q * R + j.to(tl.int64) * R
    gate = tl.full((TALL, WIDE), 0.0, DTYPE)
    for r in range(R):
        left = tl.load(left_ptr + r, mask=i < L, other=0.0)
        right = tl.load(right_ptr + r, mask=j < Q, other=0.0)
        gate += left[:, None] * right[None, :]
    return gate


@triton.jit
def _forward(
    x_ptr, left_ptr, right_ptr, y_ptr, L, Q, R,
    FUSION: tl.constexpr, DTYPE: tl.constexpr, TALL: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    i = tl.program_id(1) * TALL + tl.arange(0, TALL)
    j = tl.program_id(2) * WIDE + tl.arange(0, WIDE)
    inside = (i < L)[:, None] & (j < Q)[None, :]
    at = row * L * Q + i.to(tl.int64)[:, None] * Q + j[None, :]
    gate = _map(left_ptr, right_ptr, row, i, j, L, Q, R, DTYPE, TALL, WIDE)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(DTYPE)
    y = x + gate if FUSION == 2 else x * gate
    if FUSION != 0:
        y = tl.where(y <= 0.0, 0.0, y)  # NaN passes, as through torch.relu
    tl.store(y_ptr + at, y.to(y_ptr.dtype.element_ty), mask=inside)


@triton.jit
def _backward(
    x_ptr, g_ptr, left_ptr, right_ptr, dx_ptr, dmap_ptr, L, Q, R,
    FUSION: tl.constexpr, DTYPE: tl.constexpr, TALL: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    i = tl.program_id(1) * TALL + tl.arange(0, TALL)
    j = tl.program_id(2) * WIDE + tl.arange(0, WIDE)
    inside = (i < L)[:, None] & (j < Q)[None, :]
    at = row * L * Q + i.to(tl.int64)[:, None] * Q + j[None, :]
    gate = _map(left_ptr, right_ptr, row, i, j, L, Q, R, DTYPE, TALL, WIDE)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(DTYPE)
    g = tl.load(g_ptr + at, mask=inside, other=0.0).to(DTYPE)
    if FUSION == 2:
        dmap = tl.where(x + gate <= 0.0, 0.0, g)
        dx = dmap
    else:
        if FUSION == 1:
            g = tl.where(x <= 0.0, 0.0, g)  # the map is positive
        dx = g * gate
        dmap = g * x
    tl.store(dx_ptr + at, dx.to(dx_ptr.dtype.element_ty), mask=inside)
    tl.store(dmap_ptr + at, dmap, mask=inside)


def forward(x: torch.Tensor, left: torch.Tensor, right: torch.Tensor, fusion: str) -> torch.Tensor:
    """x fused with left @ rightᵀ: dense rows (rows, L, Q) with left (rows, L, R) and right (rows, Q, R)."""
    y = torch.empty_like(x)
    _launch(_forward, (x,), left, right, (y,), fusion)
    return y


def backward(
    x: torch.Tensor, g: torch.Tensor, left: torch.Tensor, right: torch.Tensor, fusion: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradients of x, through the fusion alone, and of the map, in the dtype of left; g is the gradient of the output."""
    dx, dmap = torch.empty_like(x), torch.empty_like(x, dtype=left.dtype)
    _launch(_backward, (x, g), left, right, (dx, dmap), fusion)
    return dx, dmap


def _launch(
    kernel: Any,
    inputs: tuple[torch.Tensor, ...],
    left: torch.Tensor,
    right: torch.Tensor,
    outputs: tuple[torch.Tensor, ...],
    fusion: str,
) -> None:
    rows, L, Q = inputs[0].shape
    tall, wide = (min(LARGEST_TILE, max(SMALLEST_TILE, triton.next_power_of_2(n))) for n in (L, Q))
    grid = (rows, triton.cdiv(L, tall), triton.cdiv(Q, wide))
    factors = (left.contiguous(), right.contiguous())
    with on_device(left):
        kernel[grid](
            *inputs,
            *factors,
            *outputs,
            L,
            Q,
            left.shape[2],
            FUSION_CODES[fusion],
            COMPUTE[left.dtype],
            tall,
            wide,
        )
