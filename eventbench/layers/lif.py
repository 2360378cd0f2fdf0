"""LIF: leaky integrate-and-fire neurons over T steps, on Norse's LIF box step.

Sources: Norse 1.1.0, `lif_box_feed_forward_step` (the LIF "box" has no synaptic current; Norse's plain LIF
has one and is another neuron); the neuron of TCJA-SNN (Zhu et al., arXiv 2206.10177, TNNLS 2024) and PFA
(Deng et al., arXiv 2310.14576, KBS 2024), both SpikingJelly's `MultiStepLIFNode`.

How the papers' neuron maps onto Norse's: dt · tau_mem_inv = 1/tau; v_leak = reset, since SpikingJelly decays
towards its reset potential; a reset that detaches the spike when `detach_reset`; tau · x fed in when the
input is not to be decayed. Norse's reset does not detach by itself, has no time loop for this step, and no
ATan surrogate (see `surrogate.py`).

Differs from the authors' code in one thing: Norse fires on h > threshold, SpikingJelly on h >= threshold, so
they part on exact ties only. The neuron of TCJA's TET nets, m = m/2 + x with a strict `>` and the gradient
through the reset, is `LIF(tau=2, decay_input=False, surrogate="triangle", alpha=1, detach_reset=False)`.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers._lif_fused import Neuron, fused_lif, serves
from eventbench.layers._norse import (
    LIFBoxFeedForwardState,
    LIFBoxParameters,
    lif_box_feed_forward_step,
    reset_subtract,
    reset_value,
)
from eventbench.layers._shape import require_choice, require_floating
from eventbench.layers.surrogate import OURS, SURROGATES, spike_slope

BACKENDS = ("norse", "numba")


def _no_reset(spikes: torch.Tensor, h: torch.Tensor, reset: float, threshold: float) -> torch.Tensor:
    return h


class LIF(nn.Module):
    """(T, N, ...) input currents -> (T, N, ...) spikes, 0 or 1, in the input's floating dtype.

    h[t] = v[t−1] + (x[t] + leak − v[t−1]) / tau; s[t] = 1 where h[t] > threshold; then v[t] = `reset` where it
    fired, or h[t] − threshold when `reset` is None, and h[t] elsewhere. `leak` is `reset`, or 0 when `reset` is
    None. v starts at `leak` at each call: no state is kept. `tau` is in time steps, 1 (no memory) or more.

    `decay_input=False` adds x[t] whole, not divided by tau. `detach_reset` keeps the gradient from flowing
    through the spike in the reset. `surrogate` and `alpha` shape ds/dh: see `eventbench.layers.surrogate`.

    `backend`: "norse" loops over Norse's step; "numba" is the same neuron fused over time, with the same spikes
    to the bit, for float32 and float64 on the CPU; None takes "numba" where it serves. The fused backward is not
    itself differentiable.

    Raises BadSpec for a parameter out of range, and for inputs that are not floats or have no steps.
    """

    spiking = True  # what metrics go by: a spiking layer is declared, never guessed from its values

    def __init__(
        self,
        tau: float = 2.0,
        threshold: float = 1.0,
        reset: float | None = 0.0,
        surrogate: str = "atan",
        alpha: float = 2.0,
        detach_reset: bool = True,
        decay_input: bool = True,
        backend: str | None = None,
    ) -> None:
        super().__init__()
        require_choice(surrogate, "surrogate", "LIF", SURROGATES)
        if not (math.isfinite(tau) and tau >= 1):
            raise BadSpec(f"tau is {tau!r} time steps", where="LIF", allowed="1 (no memory) or more")
        if not (math.isfinite(alpha) and alpha > 0):
            raise BadSpec(f"alpha is {alpha!r}", where="LIF", allowed="above 0")
        if not math.isfinite(threshold):
            raise BadSpec(f"threshold is {threshold!r}", where="LIF", allowed="a finite number")
        if reset is not None and not (math.isfinite(reset) and reset < threshold):
            raise BadSpec(
                f"reset is {reset!r} at threshold {threshold!r}",
                where="LIF",
                allowed="below the threshold, or None to subtract it",
            )
        self.tau, self.threshold = float(tau), float(threshold)
        self.reset = None if reset is None else float(reset)
        self.surrogate, self.alpha = surrogate, float(alpha)
        self.detach_reset, self.decay_input = detach_reset, decay_input
        if backend is not None:
            require_choice(backend, "backend", "LIF", BACKENDS)
        self.backend = backend

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.ndim == 0 or x.shape[0] == 0:
            raise BadSpec(
                f"got shape {tuple(x.shape)}", where="LIF", allowed="(T, N, ...) with T of 1 or more"
            )
        require_floating(x, "LIF")
        return self._loop(x) if self.backend_used(x) == "norse" else fused_lif(x, self._neuron())

    def backend_used(self, x: torch.Tensor) -> str:
        """What computes this input, "norse" or "numba". Raises BadSpec where a forced backend cannot serve it."""
        if self.backend != "numba":
            return self.backend or ("numba" if serves(x) else "norse")
        if not serves(x):
            raise BadSpec(
                f"the numba backend cannot serve a {x.dtype} tensor on {x.device}",
                where="LIF",
                allowed="float32 or float64 on the cpu, outside torch.compile",
                fix='leave backend out, or ask for "norse"',
            )
        return "numba"

    def _neuron(self) -> Neuron:
        return Neuron(
            self.tau,
            self.threshold,
            self.reset,
            self.surrogate,
            self.alpha,
            self.detach_reset,
            self.decay_input,
        )

    def _reset(self, spikes: torch.Tensor, h: torch.Tensor, reset: float, threshold: float) -> torch.Tensor:
        rule = reset_subtract if self.reset is None else reset_value
        return rule(spikes.detach() if self.detach_reset else spikes, h, reset, threshold)

    def _loop(self, x: torch.Tensor) -> torch.Tensor:
        leak = 0.0 if self.reset is None else self.reset
        ours = self.surrogate in OURS
        p = LIFBoxParameters(
            tau_mem_inv=1 / self.tau,
            v_leak=leak,
            v_th=self.threshold,
            v_reset=leak,
            method="heaviside" if ours else self.surrogate,
            alpha=self.alpha,
            reset_method=_no_reset if ours else self._reset,
        )
        state = LIFBoxFeedForwardState(v=torch.full_like(x[0], leak))
        spikes = []
        # x[t] in a loop would write a full gradient of shape (T, ...) per step; unbind does not.
        for current in (x if self.decay_input else self.tau * x).unbind(0):
            z, state = lif_box_feed_forward_step(current, state, p, dt=1.0)
            if ours:
                z = spike_slope(state.v - self.threshold, z, self.surrogate, self.alpha)
                state = LIFBoxFeedForwardState(v=self._reset(z, state.v, leak, self.threshold))
            spikes.append(z)
        return torch.stack(spikes)

    def extra_repr(self) -> str:
        return (
            f"tau={self.tau:g}, threshold={self.threshold:g}, reset={self.reset}, surrogate={self.surrogate}, "
            f"alpha={self.alpha:g}, detach_reset={self.detach_reset}, decay_input={self.decay_input}"
        )
