"""`norm_lif`: batch norm, LIF and a 2 x 2 max pool, the layers between two convolutions, fused for training on the CPU.

Batch norm is Ioffe and Szegedy's (ICML 2015) over T, N, H and W, as TCJA's and PFA's networks have it; the neuron is
`LIF`. On the CPU, memory traffic limits the speed of a training step, and the three layers called one by one read and
write every current, normalised current, membrane and spike.
"""

from __future__ import annotations

import torch
from torch import nn

from eventbench.layers._lif.checks import not_finite
from eventbench.layers._lif.engine import NotFinite
from eventbench.layers._lif.norm_fused import NormLIFSettings, fused_norm_lif
from eventbench.layers.lif import LIF

DTYPES = (torch.float32, torch.float64)


def norm_lif(
    x: torch.Tensor, norm: nn.BatchNorm2d, lif: LIF, pool: nn.MaxPool2d | None = None
) -> torch.Tensor:
    """pool(lif(norm(x))) of currents (T, N, C, H, W): spikes (T, N, C, H, W), pooled if there is a pool, channels last in memory.

    Fused when the network trains on the CPU in float32 or float64, with one fixed tau and a 2 x 2 pool. Otherwise, and
    when one of the layers has hooks, the layers are called one after the other, so that their hooks run. Both give
    the same numbers except for rounding in the statistics. Gradients cannot be differentiated again.
    """
    if not _can_fuse(x, norm, lif, pool):
        T, N = x.shape[:2]
        x = norm(x.flatten(0, 1))  # frees the currents before the spikes are allocated
        x = lif(torch.unflatten(x, 0, (T, N)))
        return x if pool is None else torch.unflatten(pool(x.flatten(0, 1)), 0, (T, N))
    lif.record_backend(x)
    settings = NormLIFSettings(lif.neuron, lif.rate(x), norm.eps, None if pool is None else pool.ceil_mode)
    try:
        out, mean, variance = fused_norm_lif(x, norm.weight, norm.bias, settings)
    except NotFinite:
        raise not_finite(x, None, "LIF") from None
    _update_running_statistics(norm, mean, variance, x.numel() // x.shape[2])
    return out


def _can_fuse(x: torch.Tensor, norm: nn.BatchNorm2d, lif: LIF, pool: nn.MaxPool2d | None) -> bool:
    layers = [layer for layer in (norm, lif, pool) if layer is not None]
    return (
        type(norm) is nn.BatchNorm2d
        and type(lif) is LIF
        and norm.training
        and torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and x.ndim == 5
        and x.device.type == "cpu"
        and x.dtype in DTYPES
        and x.numel() > x.shape[2] > 0
        and x.shape[2] == norm.num_features
        and norm.affine
        and norm.weight.dtype == x.dtype
        and not (lif.learn_tau or lif.channels)
        and lif.backend in (None, "numba")
        and (pool is None or _is_two_by_two(pool))
        and not any(_has_hooks(layer) for layer in layers)
    )


def _has_hooks(layer: nn.Module) -> bool:
    hooks = layer._forward_hooks, layer._forward_pre_hooks, layer._backward_hooks  # noqa: SLF001  # torch offers no public names
    return any(hooks)


def _is_two_by_two(pool: nn.MaxPool2d) -> bool:
    """Whether the windows are 2 x 2 and do not overlap."""
    settings = (pool.kernel_size, pool.stride, pool.padding, pool.dilation, pool.return_indices)
    return all(_pair(value) == (n, n) for value, n in zip(settings, (2, 2, 0, 1, 0), strict=True))


def _pair(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (int(value),) * 2


@torch.no_grad()
def _update_running_statistics(
    norm: nn.BatchNorm2d, mean: torch.Tensor, variance: torch.Tensor, rows: int
) -> None:
    """As BatchNorm2d does: with the unbiased variance; the average over all batches if momentum is None."""
    if not norm.track_running_stats or norm.running_mean is None or norm.running_var is None:
        return
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    momentum = norm.momentum
    if momentum is None:
        momentum = 1 / float(norm.num_batches_tracked or 1)
    norm.running_mean.lerp_(mean, momentum)
    norm.running_var.lerp_(variance * (rows / (rows - 1)), momentum)
