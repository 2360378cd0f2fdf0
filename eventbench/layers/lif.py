"""LIF: leaky integrate-and-fire neurons over T steps, computed with Norse's LIF box step.

Sources: Norse 1.1.0, `lif_box_feed_forward_step` (the LIF "box" has no synaptic current; Norse's plain LIF
has one, so it is a different neuron); the neuron of TCJA-SNN (Zhu et al., arXiv 2206.10177, TNNLS 2024) and PFA
(Deng et al., arXiv 2310.14576, KBS 2024), both SpikingJelly's `MultiStepLIFNode`; learned time constants are
PLIF's (Fang et al., ICCV 2021, arXiv 2007.05785): 1/tau = sigmoid(w).

The papers' neuron in Norse's terms: dt · tau_mem_inv = 1/tau; v_leak = reset, since SpikingJelly decays
towards its reset potential; the reset detaches the spike when `detach_reset` is set; the input is tau · x when
`decay_input` is False. Norse's own reset does not detach the spike, and Norse has neither a time loop for this
step nor an ATan surrogate (see `surrogate.py`).

Norse fires on h > threshold, SpikingJelly on h >= threshold: see `fires_at`. They differ on exact ties only, which
are common where currents are round numbers, as the counts of spikes in Spikformer's attention. The neuron of TCJA's
TET nets, m = m/2 + x with a strict `>` and the gradient through the reset, is `LIF(tau=2, decay_input=False,
surrogate="triangle", alpha=1, detach_reset=False)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import overload

import torch
from torch import nn

from eventbench.layers._lif.checks import finite_or_nan, not_finite, require_membrane, require_spikable
from eventbench.layers._lif.engine import NotFinite
from eventbench.layers._lif.fused import fused_lif
from eventbench.layers._lif.leaky import Leaky
from eventbench.layers._lif.neuron import checked_neuron, compute_dtype
from eventbench.layers._lif.norse_loop import norse_lif


class LIF(Leaky):
    """(T, N, ...) input currents -> (T, N, ...) spikes, 0 or 1, in the input's floating dtype.

    h[t] = v[t−1] + (x[t] + leak − v[t−1]) / tau; s[t] = 1 where the neuron fires; then v[t] = `reset` where it fired
    (h[t] − threshold when `reset` is None), and h[t] elsewhere. `leak` is `reset`, or 0 when `reset` is None. `tau` is
    in time steps, 1 (no memory) or more. `fires_at` "above" fires where h[t] > threshold, as Norse does, "at_or_above"
    where h[t] >= threshold, as SpikingJelly does; both in the dtype of the computation.

    `lif(x)` starts at v = `leak` and returns spikes; it keeps no state between calls. `lif(x, state)` starts at
    `state`, None or an (N, ...) membrane, and returns (spikes, state after the last step): a long recording can be
    streamed in chunks, with the same bits as in one call. Detach the state where gradients should stop. This is also
    the interface that `norse.torch.SequentialState` expects.

    `decay_input=False` adds x[t] without dividing it by tau. `detach_reset` stops the gradient from flowing
    through the spike in the reset. `surrogate` and `alpha` define ds/dh: see `eventbench.layers.surrogate`.
    `learn_tau` makes tau a learned parameter: `w`, with 1/tau = sigmoid(w), starting at the given tau. `channels` C gives
    each channel of (T, N, C, ...) its own tau; `tau` may then be C numbers.

    `backend`: "norse" loops over Norse's step; "numba" (CPU) and "triton" (CUDA) are the same neuron fused over time,
    with bit-identical spikes. They save one membrane per step for the backward pass, which cannot be differentiated
    again. None takes the fastest backend that supports the input, also under torch.compile. `backend_used(x)` names the
    backend for an input, `last_backend` that of the last call. float64 is computed in float64; float32, bfloat16 and
    float16 in float32. The state has the dtype of the computation.

    Raises BadSpec for a parameter out of range, a backend that does not support the input, inputs that are not floats
    or have no steps, a state that does not fit the input, and NaN or infinity in input or state. Where checking values
    would block the device or break a graph ("triton", and "norse" under torch.compile), NaN and infinity give NaN
    outputs instead of an error.
    """

    spiking = True  # read by metrics (models/protocols.py)

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
        fires_at: str = "above",
    ) -> None:
        super().__init__(tau, learn_tau, channels, backend)
        settings = (threshold, reset, surrogate, alpha, detach_reset, decay_input, fires_at)
        self.neuron = checked_neuron("LIF", *settings)

    @overload
    def forward(self, x: torch.Tensor) -> torch.Tensor: ...
    @overload
    def forward(self, x: torch.Tensor, state: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]: ...
    def forward(
        self, x: torch.Tensor, state: torch.Tensor | EllipsisType | None = ...
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """The spikes; with a `state` argument also the state after the last step."""
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
        """The membrane above which a neuron fires, or from which on with `fires_at` "at_or_above"."""
        return self.neuron.threshold

    @property
    def reset(self) -> float | None:
        """The membrane after a spike; None means that the threshold is subtracted."""
        return self.neuron.reset

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"{self.tau_repr()}, {self.neuron}"


def backends_used(model: nn.Module) -> dict[str, str]:
    """The backend that each leaky layer of `model` used in its last call, by layer name. Records of runs store it."""
    layers = ((name, getattr(layer, "last_backend", None)) for name, layer in model.named_modules())
    return {name: backend for name, backend in layers if backend is not None}
