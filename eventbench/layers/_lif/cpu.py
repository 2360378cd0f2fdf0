"""The CPU engine: Numba kernels on torch tensors, distributed over torch's threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from eventbench.layers._lif import numba_kernels as kernels
from eventbench.layers._lif.engine import BackwardRows, Dynamics, ForwardRows
from eventbench.layers._lif.neuron import SLOPE_CODES
from eventbench.layers._lif.threads import across_threads

Array = np.ndarray[Any, np.dtype[Any]]


def _as_array(value: float | torch.Tensor, dtype: np.dtype[Any]) -> Array:
    return value.detach().view(-1).numpy() if isinstance(value, torch.Tensor) else np.array([value], dtype)


def _gains_and_scales(dynamics: Dynamics, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """1/tau, and the factor of the input currents: one of each, or one of each per channel."""
    rate = dynamics.rate
    scales = np.ones(1, dtype) if dynamics.neuron.decay_input else _as_array(rate.tau, dtype)
    return _as_array(rate.gain, dtype), scales


def forward(rows: ForwardRows, dynamics: Dynamics) -> bool:
    """Implements `Engine.forward`."""
    (T, M), currents = rows.currents.shape, rows.currents.numpy()
    dtype = currents.dtype
    keep_membranes = rows.membranes is not None
    gains, scales = _gains_and_scales(dynamics, dtype)
    finite = across_threads(
        kernels.forward,
        currents,
        rows.spikes.numpy(),
        np.empty((0, 0), dtype) if rows.membranes is None else rows.membranes.numpy(),
        rows.membrane.numpy(),
        keep_membranes,
        gains,
        scales,
        dynamics.inner,
        kernels.constants(dynamics.neuron, dtype),
        count=M,
        elements=T * M,
        unit=kernels.BLOCK,
    )
    return all(finite)


def backward(rows: BackwardRows, dynamics: Dynamics) -> None:
    """Implements `Engine.backward`."""
    membranes, neuron = rows.membranes.numpy(), dynamics.neuron
    dtype = membranes.dtype
    gains, scales = _gains_and_scales(dynamics, dtype)
    across_threads(
        kernels.backward,
        rows.grad_spikes.numpy(),
        membranes,
        rows.grad_currents.numpy(),
        rows.grad_membrane.numpy(),
        rows.start.numpy(),
        np.empty(0, dtype) if rows.grad_gain is None else rows.grad_gain.numpy(),
        gains,
        scales,
        dynamics.inner,
        kernels.constants(neuron, dtype),
        SLOPE_CODES[neuron.surrogate],
        neuron.decay_input,
        count=membranes.shape[1],
        elements=membranes.size,
        unit=kernels.BLOCK,
    )
