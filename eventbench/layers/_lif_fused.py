"""The fused CPU backend of LIF: the Numba kernels as one differentiable operation on torch tensors.

Only the membrane before reset is kept for the backward pass, one tensor of the input's size where a loop of
torch operations keeps three; spikes are recomputed from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from eventbench.layers import _lif_numba as kernels

# Below this many elements waking a second thread costs more than it saves.
ELEMENTS_PER_THREAD = 1 << 19

_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


class Neuron(NamedTuple):
    """What the kernels need to know of a LIF layer; `reset` None subtracts the threshold."""

    tau: float
    threshold: float
    reset: float | None
    surrogate: str
    alpha: float
    detach_reset: bool
    decay_input: bool

    def constants(self, dtype: np.dtype) -> np.ndarray:
        leak = 0.0 if self.reset is None else self.reset
        return kernels.constants(self.tau, self.threshold, leak, self.alpha, self.decay_input, dtype)


def serves(x: torch.Tensor) -> bool:
    """Whether the kernels can take this tensor: float32 or float64 in the CPU's memory, outside torch.compile."""
    dense = x.layout == torch.strided and x.device.type == "cpu"
    return dense and x.dtype in (torch.float32, torch.float64) and not torch.compiler.is_compiling()


def fused_lif(x: torch.Tensor, neuron: Neuron) -> torch.Tensor:
    """(T, N, ...) currents -> (T, N, ...) spikes, in the memory layout of `x` where that is dense with T outermost."""
    if torch.is_grad_enabled() and x.requires_grad:
        return _FusedLIF.apply(x, neuron)
    return _spikes(x.detach(), neuron, keep=False)[0]


def _memory_order(x: torch.Tensor) -> list[int]:
    """The axes from outermost to innermost in memory, T held first."""
    strides = x.stride()
    return [0, *sorted(range(1, x.ndim), key=lambda axis: (-strides[axis], axis))]


def _rows(x: torch.Tensor, order: list[int]) -> tuple[torch.Tensor, np.ndarray]:
    """x with its axes in `order`, and the same as a contiguous (T, M) array: a view if it lies so, else a copy."""
    x = x.permute(order).contiguous()
    return x, x.view(x.shape[0], -1).numpy() if x.numel() else np.empty((x.shape[0], 0))


def _across_threads(kernel: Callable[..., None], T: int, M: int, *arguments: Any) -> None:
    # Plain threads and kernels without the GIL, not numba's prange: its thread pools either are a second OpenMP
    # beside torch's, which forbids fork, or must not be entered from two threads at once.
    threads = min(torch.get_num_threads(), T * M // ELEMENTS_PER_THREAD, -(-M // kernels.BLOCK))
    if threads < 2:
        kernel(*arguments, 0, M)
        return
    # The process is part of the key since threads do not survive a fork.
    key = (os.getpid(), threads)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(threads - 1, thread_name_prefix="lif")
    blocks = -(-M // kernels.BLOCK)
    edges = [min(blocks * i // threads * kernels.BLOCK, M) for i in range(threads + 1)]
    first, *others = pairwise(edges)
    waiting = [_pools[key].submit(kernel, *arguments, *span) for span in others]
    kernel(*arguments, *first)
    for other in waiting:
        other.result()


def _spikes(x: torch.Tensor, neuron: Neuron, keep: bool) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    order = _memory_order(x)
    if not x.permute(order).is_contiguous():
        order = list(range(x.ndim))
    x, currents = _rows(x, order)
    spikes = torch.empty_like(x)
    h = torch.empty_like(x) if keep else x.new_empty((0,) * x.ndim)
    if x.numel():
        T, M = currents.shape
        membranes = h.view(T, M).numpy() if keep else np.empty((0, 0), currents.dtype)
        c = neuron.constants(currents.dtype)
        subtract = neuron.reset is None
        _across_threads(
            kernels.forward, T, M, currents, spikes.view(T, M).numpy(), membranes, keep, c, subtract
        )
    return spikes.permute(_inverse(order)), h, order


def _inverse(order: list[int]) -> list[int]:
    return [order.index(axis) for axis in range(len(order))]


class _FusedLIF(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, neuron: Neuron) -> torch.Tensor:
        spikes, h, ctx.order = _spikes(x.detach(), neuron, keep=True)
        ctx.neuron = neuron
        ctx.save_for_backward(h)
        return spikes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        (h,) = ctx.saved_tensors
        neuron: Neuron = ctx.neuron
        grad_x = torch.empty_like(h)
        if h.numel():
            T, M = h.shape[0], h.numel() // h.shape[0]
            _, grad_spikes = _rows(grads[0], ctx.order)
            _across_threads(
                kernels.backward,
                T,
                M,
                grad_spikes,
                h.view(T, M).numpy(),
                grad_x.view(T, M).numpy(),
                neuron.constants(grad_spikes.dtype),
                kernels.SLOPE_CODES[neuron.surrogate],
                neuron.reset is None,
                not neuron.detach_reset,
            )
        return grad_x.permute(_inverse(ctx.order)), None
