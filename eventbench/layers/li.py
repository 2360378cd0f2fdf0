"""LI: a leaky integrator over T steps, used as a readout: its membranes are the scores.

Source: Norse 1.1.0, `li_box_feed_forward_step` (without synaptic current, as our LIF), with dt · tau_mem_inv = 1/tau.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import EllipsisType
from typing import overload

import torch

from eventbench.errors import BadSpec
from eventbench.layers._lif.checks import finite_or_nan, not_finite, require_membrane, require_spikable
from eventbench.layers._lif.engine import NotFinite
from eventbench.layers._lif.fused import fused_lif
from eventbench.layers._lif.leaky import Leaky
from eventbench.layers._lif.neuron import MEMBRANE, Neuron, compute_dtype
from eventbench.layers._lif.norse_loop import norse_li
from eventbench.layers.arguments import require_flag, require_number


class LI(Leaky):
    """(T, N, ...) input currents -> (T, N, ...) membranes, in the input's floating dtype; it never fires.

    v[t] = v[t−1] + (x[t] + leak − v[t−1]) / tau, from v = `leak`; `decay_input=False` adds x[t] undivided. A
    network takes its scores from the last step or from the mean over T.

    State, `tau`, `learn_tau`, `channels`, `backend` and errors are as in `LIF`.
    """

    def __init__(
        self,
        tau: float | Sequence[float] = 2.0,
        leak: float = 0.0,
        decay_input: bool = True,
        backend: str | None = None,
        learn_tau: bool = False,
        channels: int | None = None,
    ) -> None:
        super().__init__(tau, learn_tau, channels, backend)
        require_number(leak, "leak", "LI")
        require_flag(decay_input, "decay_input", "LI")
        if not math.isfinite(leak):
            raise BadSpec(f"leak is {leak!r}", where="LI", allowed="a finite number")
        # A LIF whose threshold no membrane reaches.
        self.neuron = Neuron(math.inf, float(leak), MEMBRANE, 1.0, True, decay_input)

    @overload
    def forward(self, x: torch.Tensor) -> torch.Tensor: ...
    @overload
    def forward(self, x: torch.Tensor, state: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]: ...
    def forward(
        self, x: torch.Tensor, state: torch.Tensor | EllipsisType | None = ...
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """The membranes; with a `state` argument also the state after the last step."""
        require_spikable(x, "LI")
        v = None if state is ... else state
        if v is not None:
            require_membrane(v, x, compute_dtype(x.dtype), "LI")
        rate, backend = self.rate(x), self.record_backend(x)
        try:
            if backend == "norse":
                membranes, last = norse_li(x, v, self.neuron, rate)
                membranes = finite_or_nan(membranes, last, x, v, "LI")
            else:
                membranes, last = fused_lif(x, v, self.neuron, rate, backend)
        except NotFinite:
            raise not_finite(x, v, "LI") from None
        return membranes if state is ... else (membranes, last)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"{self.tau_repr()}, leak={self.neuron.leak:g}, decay_input={self.neuron.decay_input}"
