"""The Numba kernels run on torch tensors in the CPU's memory."""

from __future__ import annotations

import numpy as np
import torch

from eventbench.layers._lif import numba_kernels as kernels
from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.neuron import SLOPE_CODES, Neuron
from eventbench.layers._lif.threads import across_threads


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
    shared = {"count": M, "elements": T * M, "unit": kernels.BLOCK}
    return all(across_threads(kernels.forward, *arrays, gains, scales, inner, c, **shared))


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
        SLOPE_CODES[neuron.surrogate],
        neuron.decay_input,
        count=h.shape[1],
        elements=h.numel(),
        unit=kernels.BLOCK,
    )
