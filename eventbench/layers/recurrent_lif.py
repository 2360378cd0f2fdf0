"""RecurrentLIF: LIF neurons whose spikes are fed back through a matrix as currents of the next step.

Source: the recurrent step of Norse 1.1.0 (`lif_step`: input + linear(z, recurrent_weights)), with Norse's LIF box
in place of its LIF, as in `LIF`. The input weights are a separate layer before this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import overload

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers._attention.gating import without_autocast
from eventbench.layers._lif.checks import finite_or_nan, not_finite, require_membrane, require_spikable
from eventbench.layers._lif.engine import NotFinite, engine_of
from eventbench.layers._lif.leaky import Leaky
from eventbench.layers._lif.neuron import checked_neuron, compute_dtype
from eventbench.layers._lif.recurrent import RecurrentState, fused_recurrent, norse_recurrent
from eventbench.layers.arguments import is_number, require_count


class RecurrentLIF(Leaky):
    """(T, N, C) input currents -> (T, N, C) spikes: LIF on x[t] + W s[t−1], `recurrent` = Linear(C, C, bias=False).

    `layer(x)` starts without spikes and at v = `reset` (0 if that is None); `layer(x, state)` starts at `state`,
    None or the (spikes, v) of an earlier call, and returns (spikes, state). `tau` may be C numbers, one per channel.
    The product with W is computed in the dtype of the membrane, float32 or float64, also under autocast.

    Everything else, including the errors, is as in `LIF`.
    """

    spiking = True
    feeds_spikes_back = True  # read by metrics (models/protocols.py)
    fused_compiles = False  # torch.compile unrolls Norse's loop

    def __init__(
        self,
        channels: int,
        tau: float | Sequence[float] = 2.0,
        threshold: float = 1.0,
        reset: float | None = 0.0,
        surrogate: str = "atan",
        alpha: float = 2.0,
        detach_reset: bool = True,
        decay_input: bool = True,
        backend: str | None = None,
        learn_tau: bool = False,
        fires_at: str = "above",
    ) -> None:
        require_count(channels, "channels", "RecurrentLIF")
        super().__init__(tau, learn_tau, None if is_number(tau) else channels, backend)
        settings = (threshold, reset, surrogate, alpha, detach_reset, decay_input, fires_at)
        self.neuron = checked_neuron("RecurrentLIF", *settings)
        self.recurrent = nn.Linear(channels, channels, bias=False)

    @overload
    def forward(self, x: torch.Tensor) -> torch.Tensor: ...
    @overload
    def forward(
        self, x: torch.Tensor, state: RecurrentState | None
    ) -> tuple[torch.Tensor, RecurrentState]: ...
    def forward(
        self, x: torch.Tensor, state: RecurrentState | EllipsisType | None = ...
    ) -> torch.Tensor | tuple[torch.Tensor, RecurrentState]:
        """The spikes; with a `state` argument also the state after the last step."""
        require_spikable(x, "RecurrentLIF")
        C = self.recurrent.in_features
        if x.ndim != 3 or x.shape[2] != C:
            raise BadSpec(f"got shape {tuple(x.shape)}", where="RecurrentLIF", allowed=f"(T, N, {C})")
        dtype = compute_dtype(x.dtype)
        if state is ... or state is None:
            membrane = torch.full(x.shape[1:], self.neuron.leak, dtype=dtype, device=x.device)
            start = RecurrentState(torch.zeros_like(membrane), membrane)
        else:
            start = RecurrentState(*state)
            for tensor in start:
                require_membrane(tensor, x, dtype, "RecurrentLIF")
        rate, backend = self.rate(x), self.record_backend(x)
        weight = self.recurrent.weight.to(dtype)
        with without_autocast(x):
            try:
                if backend == "norse":
                    spikes, last = norse_recurrent(x.to(dtype), weight, start, self.neuron, rate)
                    spikes = finite_or_nan(spikes, last.v, x, start.v, "RecurrentLIF")
                else:
                    engine = engine_of(backend)
                    spikes, last = fused_recurrent(x.to(dtype), weight, start, self.neuron, rate, engine)
            except NotFinite:
                raise not_finite(x, start.v, "RecurrentLIF") from None
        spikes = spikes.to(x.dtype)
        return spikes if state is ... else (spikes, last)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"{self.tau_repr()}, {self.neuron}"
