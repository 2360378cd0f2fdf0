"""Batch norm over all steps, LIF and a max pool as one differentiable operation on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from eventbench.layers._lif import norm_kernels as kernels
from eventbench.layers._lif import norm_statistics as statistics
from eventbench.layers._lif.engine import NotFinite
from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.neuron import SLOPE_CODES, Neuron
from eventbench.layers._lif.numba_kernels import constants as neuron_constants
from eventbench.layers._lif.threads import across_threads

STRIP_BYTES = 1 << 18  # for the membranes of T steps in a strip

Array = np.ndarray[Any, np.dtype[Any]]


class NormLIFSettings(NamedTuple):
    """The settings of the operation. `pool` is None without a pool, else whether an odd last row or column has a window (`ceil_mode`)."""

    neuron: Neuron
    rate: Rate
    eps: float
    pool: bool | None


class _Strips(NamedTuple):
    """How images are cut into strips; a core works on one strip at a time."""

    size: tuple[int, int, int, int]  # (N, H, W, C)
    pooled: tuple[int, int]  # (H, W) after the pool
    rows: int  # in a strip
    columns: int  # in a strip
    total: int  # number of strips

    @classmethod
    def of(cls, x: torch.Tensor, pool: bool | None) -> _Strips:
        T, N, C, H, W = x.shape
        if pool is None:
            H, W, rows, pooled = 1, H * W, 1, (1, H * W)
        else:
            rows, pooled = 2, ((H + pool) // 2, (W + pool) // 2)
        columns_in_cache = STRIP_BYTES // (x.element_size() * T * rows * C)
        columns = 2 * max(1, min(columns_in_cache, W + 1) // 2)
        return cls((N, H, W, C), pooled, rows, columns, N * -(-H // rows) * -(-W // columns))


def fused_norm_lif(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, settings: NormLIFSettings
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Currents (T, N, C, H, W) to (spikes or pooled spikes, mean (C,), variance (C,) of this batch).

    Raises NotFinite if a current or membrane is NaN or infinite.
    """
    outputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = _NormLIF.apply(x, weight, bias, settings)  # type: ignore[no-untyped-call]
    return outputs


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    """(T, N, C, H, W) as (T, N, H, W, C), dense: a view if x has this memory layout, else a copy."""
    return x.permute(0, 1, 3, 4, 2).contiguous()


def _rows(x: torch.Tensor) -> Array:
    return x.view(x.shape[0], -1).numpy()


class _NormLIF(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, settings: NormLIFSettings
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        strips, dense = _Strips.of(x, settings.pool), _channels_last(x)
        currents, C = _rows(dense), x.shape[2]
        rows = dense.numel() // C
        moments_by_thread = across_threads(
            statistics.moments, currents.reshape(-1), C, count=rows, elements=x.numel()
        )
        mean, variance = _combined(moments_by_thread)
        invstd = 1 / np.sqrt(variance + settings.eps)
        factor = weight.detach().double().numpy() * invstd
        norm = np.stack([factor, bias.detach().double().numpy() - mean * factor, mean]).astype(currents.dtype)
        shape = (*x.shape[:2], *(strips.pooled if settings.pool is not None else x.shape[3:]), C)
        out = torch.empty(shape, dtype=x.dtype)
        arrays = (currents, _rows(out), norm, *_constants(settings, currents.dtype))
        if not all(_over_strips(kernels.forward, strips, x.numel(), *arrays)):
            raise NotFinite
        ctx.settings, ctx.strips, ctx.norm = settings, strips, norm
        ctx.statistics = (mean, invstd, factor)
        ctx.save_for_backward(dense)
        ctx.set_materialize_grads(False)
        batch_mean, batch_variance = (
            torch.from_numpy(array.astype(currents.dtype)) for array in (mean, variance)
        )
        ctx.mark_non_differentiable(batch_mean, batch_variance)
        return out.permute(0, 1, 4, 2, 3), batch_mean, batch_variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor | None, *_: Any) -> tuple[torch.Tensor | None, ...]:
        if grad is None:
            return None, None, None, None
        (dense,) = ctx.saved_tensors
        settings, strips, (mean, invstd, factor) = ctx.settings, ctx.strips, ctx.statistics
        currents, grad_dense = _rows(dense), torch.empty_like(dense)
        dtype = currents.dtype
        constants = (*_constants(settings, dtype), SLOPE_CODES[settings.neuron.surrogate])
        arrays = (_rows(_channels_last(grad)), currents, _rows(grad_dense), ctx.norm, *constants)
        sums, products = np.sum(_over_strips(kernels.backward, strips, dense.numel(), *arrays), 0)
        # The gradient of (x - mean) / std over a batch (Ioffe and Szegedy 2015): g minus its mean and minus its
        # projection onto the normalised x.
        rows = dense.numel() // len(mean)
        projection = -factor * products * invstd**2 / rows
        factors = np.stack([factor, projection, -factor * sums / rows - projection * mean]).astype(dtype)
        flat_arrays = (_rows(grad_dense).reshape(-1), currents.reshape(-1), factors)
        across_threads(statistics.finish, *flat_arrays, count=rows, elements=dense.numel())
        grad_weight, grad_bias = (
            torch.from_numpy(array.astype(dtype)) for array in (products * invstd, sums)
        )
        return grad_dense.permute(0, 1, 4, 2, 3), grad_weight, grad_bias, None


def _constants(settings: NormLIFSettings, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """(1/tau, the factor of the input currents), and the constants of the neuron."""
    scale = 1.0 if settings.neuron.decay_input else settings.rate.tau
    return np.array([settings.rate.gain, scale], dtype), neuron_constants(settings.neuron, dtype)


def _over_strips(kernel: Callable[..., Any], strips: _Strips, elements: int, *arguments: Any) -> list[Any]:
    geometry = (strips.size, strips.pooled, strips.rows, strips.columns)
    return across_threads(kernel, *arguments, *geometry, count=strips.total, elements=elements)


def _combined(moments_by_thread: list[tuple[int, Array]]) -> tuple[Array, Array]:
    """Mean and biased variance over all rows, from the row count, means and sums of squares of each thread."""
    if not all(np.isfinite(moments).all() for _, moments in moments_by_thread):
        raise NotFinite
    count = math.fsum(rows for rows, _ in moments_by_thread)
    mean = sum(rows * moments[0] for rows, moments in moments_by_thread) / count
    squares = sum(moments[1] + rows * (moments[0] - mean) ** 2 for rows, moments in moments_by_thread)
    return mean, squares / count
