"""The Numba kernels run on torch tensors in the CPU's memory, shared out over torch's number of threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from eventbench.layers import _lif_numba as kernels
from eventbench.layers._lif_leaky import Rate
from eventbench.layers._lif_neuron import Neuron

# Below this many elements waking a second thread costs more than it saves.
ELEMENTS_PER_THREAD = 1 << 19

_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


def across_threads(kernel: Callable[..., Any], T: int, M: int, *arguments: Any) -> list[Any]:
    """kernel(*arguments, start, stop) over all of 0..M, in ranges that start at multiples of BLOCK; what each returned."""
    # Plain threads and kernels without the GIL, not numba's prange: its thread pools either are a second OpenMP
    # beside torch's, which forbids fork, or must not be entered from two threads at once.
    threads = min(torch.get_num_threads(), T * M // ELEMENTS_PER_THREAD, -(-M // kernels.BLOCK))
    if threads < 2:
        return [kernel(*arguments, 0, M)]
    # The process is part of the key since threads do not survive a fork.
    key = (os.getpid(), threads)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(threads - 1, thread_name_prefix="lif")
    blocks = -(-M // kernels.BLOCK)
    edges = [min(blocks * i // threads * kernels.BLOCK, M) for i in range(threads + 1)]
    first, *others = pairwise(edges)
    waiting = [_pools[key].submit(kernel, *arguments, *span) for span in others]
    returned = kernel(*arguments, *first)
    return [returned, *(other.result() for other in waiting)]


def _constants(value: float | torch.Tensor, dtype: np.dtype) -> np.ndarray:
    return value.detach().view(-1).numpy() if isinstance(value, torch.Tensor) else np.array([value], dtype)


def _rates(rate: Rate, neuron: Neuron, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    scales = np.ones(1, dtype) if neuron.decay_input else _constants(rate.tau, dtype)
    return _constants(rate.gain, dtype), scales


def forward(
    x: torch.Tensor,
    spikes: torch.Tensor,
    h: torch.Tensor | None,
    v: torch.Tensor,
    rate: Rate,
    inner: int,
    neuron: Neuron,
) -> bool:
    """Rows (T, M) of currents to `spikes`, `h` where it is kept, and `v` (M), which holds the start and gets the end.

    False where a membrane ends up NaN or infinite.
    """
    (T, M), currents = x.shape, x.numpy()
    dtype = currents.dtype
    kept = np.empty((0, 0), dtype) if h is None else h.numpy()
    gains, scales = _rates(rate, neuron, dtype)
    c = kernels.constants(neuron, dtype)
    arrays = (currents, spikes.numpy(), kept, v.numpy(), h is not None)
    return all(across_threads(kernels.forward, T, M, *arrays, gains, scales, inner, c))


def backward(
    grad_spikes: torch.Tensor,
    h: torch.Tensor,
    grad_x: torch.Tensor,
    grad_v: torch.Tensor,
    v0: torch.Tensor,
    grad_gain: torch.Tensor | None,
    rate: Rate,
    inner: int,
    neuron: Neuron,
) -> None:
    """Fill `grad_x` (T, M); `grad_v` (M) holds the gradient at the last membrane and gets that at the first, `v0`."""
    membranes = h.numpy()
    dtype = membranes.dtype
    gains, scales = _rates(rate, neuron, dtype)
    across_threads(
        kernels.backward,
        *h.shape,
        grad_spikes.numpy(),
        membranes,
        grad_x.numpy(),
        grad_v.numpy(),
        v0.numpy(),
        np.empty(0, dtype) if grad_gain is None else grad_gain.numpy(),
        gains,
        scales,
        inner,
        kernels.constants(neuron, dtype),
        kernels.SLOPE_CODES[neuron.surrogate],
        neuron.decay_input,
    )
