"""Batch norm over all steps, LIF and a max pool as one differentiable operation on the CPU's memory."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from eventbench.layers._lif import norm_kernels as kernels
from eventbench.layers._lif.engine import NotFinite
from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.neuron import SLOPE_CODES, Neuron
from eventbench.layers._lif.numba_kernels import constants
from eventbench.layers._lif.threads import across_threads

STRIP_BYTES = 1 << 18  # of the membranes of T steps


class Fused(NamedTuple):
    """What the operation does, its tensors apart. `pool` is None, or whether an odd last row or column has a window."""

    neuron: Neuron
    rate: Rate
    eps: float
    pool: bool | None


class _Plan(NamedTuple):
    size: tuple[int, int, int, int]
    pooled: tuple[int, int]
    tall: int
    wide: int
    strips: int

    @classmethod
    def of(cls, x: torch.Tensor, pool: bool | None) -> _Plan:
        T, N, C, H, W = x.shape
        if pool is None:
            H, W, tall, pooled = 1, H * W, 1, (1, H * W)
        else:
            tall, pooled = 2, ((H + pool) // 2, (W + pool) // 2)
        fits = STRIP_BYTES // (x.element_size() * T * tall * C)
        wide = 2 * max(1, min(fits, W + 1) // 2)
        return cls((N, H, W, C), pooled, tall, wide, N * -(-H // tall) * -(-W // wide))


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    """(T, N, C, H, W) as (T, N, H, W, C), dense: a view where x lies so, else a copy."""
    return x.permute(0, 1, 3, 4, 2).contiguous()


def _rows(x: torch.Tensor) -> np.ndarray:
    return x.view(x.shape[0], -1).numpy()


class NormLIF(torch.autograd.Function):
    """(x, weight, bias) -> (spikes or pooled spikes, mean (C,), variance (C,) of this batch)."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, how: Fused
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        plan, held = _Plan.of(x, how.pool), _channels_last(x)
        currents, C = _rows(held), x.shape[2]
        rows = held.numel() // C
        parts = across_threads(kernels.moments, currents.reshape(-1), C, count=rows, elements=x.numel())
        mean, variance = _together(parts)
        invstd = 1 / np.sqrt(variance + how.eps)
        factor = weight.detach().double().numpy() * invstd
        norm = np.stack([factor, bias.detach().double().numpy() - mean * factor, mean]).astype(currents.dtype)
        shape = (*x.shape[:2], *(plan.pooled if how.pool is not None else x.shape[3:]), C)
        out = torch.empty(shape, dtype=x.dtype)
        arrays = (currents, _rows(out), norm, *_settings(how, currents.dtype))
        if not all(_over_strips(kernels.forward, plan, x.numel(), *arrays)):
            raise NotFinite
        ctx.how, ctx.plan, ctx.shape, ctx.norm = how, plan, x.shape, norm
        ctx.statistics = (mean, invstd, factor)
        ctx.save_for_backward(held)
        ctx.set_materialize_grads(False)
        mean_of, variance_of = (torch.from_numpy(a.astype(currents.dtype)) for a in (mean, variance))
        ctx.mark_non_differentiable(mean_of, variance_of)
        return out.permute(0, 1, 4, 2, 3), mean_of, variance_of

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor | None, *_: Any) -> tuple[torch.Tensor | None, ...]:
        if grad is None:
            return None, None, None, None
        (held,) = ctx.saved_tensors
        how, plan, (mean, invstd, factor) = ctx.how, ctx.plan, ctx.statistics
        currents, grad_held = _rows(held), torch.empty_like(held)
        dtype = currents.dtype
        settings = (*_settings(how, dtype), SLOPE_CODES[how.neuron.surrogate])
        arrays = (_rows(_channels_last(grad)), currents, _rows(grad_held), ctx.norm, *settings)
        sums, products = np.sum(_over_strips(kernels.backward, plan, held.numel(), *arrays), 0)
        # The gradient of (x - mean) / std of a batch, Ioffe and Szegedy 2015: g less its mean and less what of it lies
        # along the normalised x.
        rows = held.numel() // len(mean)
        along = -factor * products * invstd**2 / rows
        factors = np.stack([factor, along, -factor * sums / rows - along * mean]).astype(dtype)
        flat = (_rows(grad_held).reshape(-1), currents.reshape(-1), factors)
        across_threads(kernels.finish, *flat, count=rows, elements=held.numel())
        at_weight, at_bias = (torch.from_numpy(a.astype(dtype)) for a in (products * invstd, sums))
        return grad_held.permute(0, 1, 4, 2, 3), at_weight, at_bias, None


def _settings(how: Fused, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    scale = 1.0 if how.neuron.decay_input else how.rate.tau
    return np.array([how.rate.gain, scale], dtype), constants(how.neuron, dtype)


def _over_strips(kernel: Any, plan: _Plan, elements: int, *arguments: Any) -> list[Any]:
    where = (plan.size, plan.pooled, plan.tall, plan.wide)
    return across_threads(kernel, *arguments, *where, count=plan.strips, elements=elements)


def _together(parts: list[tuple[int, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance of all rows from those of each thread's."""
    if not all(np.isfinite(told).all() for _, told in parts):
        raise NotFinite
    count = math.fsum(n for n, _ in parts)
    mean = sum(n * told[0] for n, told in parts) / count
    squares = sum(told[1] + n * (told[0] - mean) ** 2 for n, told in parts)
    return mean, squares / count
