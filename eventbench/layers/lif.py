"""LIF: leaky integrate-and-fire neurons over T steps, on Norse's LIF box step.

Sources: Norse 1.1.0, `lif_box_feed_forward_step` (the LIF "box" has no synaptic current; Norse's plain LIF
has one and is another neuron); the neuron of TCJA-SNN (Zhu et al., arXiv 2206.10177, TNNLS 2024) and PFA
(Deng et al., arXiv 2310.14576, KBS 2024), both SpikingJelly's `MultiStepLIFNode`; learned time constants are
PLIF's (Fang et al., ICCV 2021, arXiv 2007.05785): 1/tau = sigmoid(w).

How the papers' neuron maps onto Norse's: dt · tau_mem_inv = 1/tau; v_leak = reset, since SpikingJelly decays
towards its reset potential; a reset that detaches the spike when `detach_reset`; tau · x fed in when the
input is not to be decayed. Norse's reset does not detach by itself, has no time loop for this step, and no
ATan surrogate (see `surrogate.py`).

Differs from the authors' code in one thing: Norse fires on h > threshold, SpikingJelly on h >= threshold, so
they part on exact ties only. The neuron of TCJA's TET nets, m = m/2 + x with a strict `>` and the gradient
through the reset, is `LIF(tau=2, decay_input=False, surrogate="triangle", alpha=1, detach_reset=False)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import overload

import torch
from torch import nn

from eventbench.layers._lif.engine import NotFinite
from eventbench.layers._lif.fused import fused_lif
from eventbench.layers._lif.leaky import Leaky
from eventbench.layers._lif.neuron import checked_neuron, compute_dtype
from eventbench.layers._lif.norse_loop import norse_lif
from eventbench.layers._lif.refusals import finite_or_nan, not_finite, require_membrane, require_spikable


class LIF(Leaky):
    """(T, N, ...) input currents -> (T, N, ...) spikes, 0 or 1, in the input's floating dtype.

    h[t] = v[t−1] + (x[t] + leak − v[t−1]) / tau; s[t] = 1 where h[t] > threshold; then v[t] = `reset` where it
    fired, or h[t] − threshold when `reset` is None, and h[t] elsewhere. `leak` is `reset`, or 0 when `reset` is
    None. `tau` is in time steps, 1 (no memory) or more.

    `lif(x)` starts at v = `leak` and gives spikes: nothing is kept between calls. `lif(x, state)` starts at `state`,
    None or an (N, ...) membrane, and gives (spikes, state after the last step), so that a long recording streams
    in chunks and equals the whole to the bit; detach the state where gradients are to end. This is also what
    `norse.torch.SequentialState` asks of a layer.

    `decay_input=False` adds x[t] whole, not divided by tau. `detach_reset` keeps the gradient from flowing
    through the spike in the reset. `surrogate` and `alpha` shape ds/dh: see `eventbench.layers.surrogate`.
    `learn_tau` makes tau the start of a learned one, with parameter `w` and 1/tau = sigmoid(w). `channels` C gives
    each channel of (T, N, C, ...) its own tau; `tau` may then be C numbers.

    `backend`: "norse" loops over Norse's step; "numba" (CPU) and "triton" (CUDA) are the same neuron fused over time,
    with the same spikes to the bit, saving one membrane a step for the backward pass, which is not itself
    differentiable; None takes the fastest that serves, under torch.compile too. `backend_used(x)` tells which,
    `last_backend` which it was. float64 is computed in float64; float32, bfloat16 and float16 in float32, which is the
    dtype of the state.

    Raises BadSpec for a parameter out of range, a backend that cannot serve, inputs that are not floats or have no
    steps, a state that does not fit, and NaN or infinity in either. Where looking at values would hold up the device or
    break a graph ("triton", and "norse" under torch.compile), such an input comes out as NaN.
    """

    spiking = True  # metrics ask for it (models/protocols.py)

    def __init__(
        self,
        tau: float | Sequence[float] = 2.0,
        threshold: float = 1.0,
        reset: float | None = 0.0,
        surrogate: str = "atan",
        alpha: float = 2.0,
        detach_reset: bool = True,
        decay_input: bool = True,
        backend: str | None = None,
        learn_tau: bool = False,
        channels: int | None = None,
    ) -> None:
        super().__init__(tau, learn_tau, channels, backend)
        settings = (threshold, reset, surrogate, alpha, detach_reset, decay_input)
        self.neuron = checked_neuron("LIF", *settings)

    @overload
    def forward(self, x: torch.Tensor) -> torch.Tensor: ...
    @overload
    def forward(self, x: torch.Tensor, state: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]: ...
    def forward(
        self, x: torch.Tensor, state: torch.Tensor | EllipsisType | None = ...
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """The spikes, and the state after the last step where a state was given."""
        require_spikable(x, "LIF")
        v = None if state is ... else state
        if v is not None:
            require_membrane(v, x, compute_dtype(x.dtype), "LIF")
        spikes, last = self._run(x, v)
        return spikes if state is ... else (spikes, last)

    def _run(self, x: torch.Tensor, v: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        rate, backend = self.rate(x), self.record_backend(x)
        if backend == "norse":
            spikes, last = norse_lif(x, v, self.neuron, rate)
            return finite_or_nan(spikes, last, x, v, "LIF"), last
        try:
            return fused_lif(x, v, self.neuron, rate, backend)
        except NotFinite:
            raise not_finite(x, v, "LIF") from None

    @property
    def threshold(self) -> float:
        """A membrane above it fires."""
        return self.neuron.threshold

    @property
    def reset(self) -> float | None:
        """What a membrane is set to after a spike; None subtracts the threshold."""
        return self.neuron.reset

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"{self.tau_repr()}, {self.neuron}"


def backends_used(model: nn.Module) -> dict[str, str]:
    """For the record of a run: the backend of every leaky layer of `model` at its last call, by the layer's name."""
    layers = ((name, getattr(layer, "last_backend", None)) for name, layer in model.named_modules())
    return {name: backend for name, backend in layers if backend is not None}
