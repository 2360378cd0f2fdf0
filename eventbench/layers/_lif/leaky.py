"""`Leaky`, the base class of leaky layers: time constants (fixed or learned, per layer or per channel) and the backend.

Source of learned time constants: PLIF (Fang et al., "Incorporating Learnable Membrane Time Constant to Enhance Learning of
Spiking Neural Networks", ICCV 2021, arXiv 2007.05785): 1/tau = sigmoid(w), w starting at -log(tau - 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers._lif.backend import BACKENDS, choose
from eventbench.layers._lif.neuron import compute_dtype
from eventbench.layers.arguments import is_number, require_choice, require_count, require_flag


class Rate(NamedTuple):
    """1/tau and tau: two numbers, or two tensors of shape () or (C,) along axis 2 of (T, N, C, ...)."""

    gain: float | torch.Tensor
    tau: float | torch.Tensor

    def over(self, ndim: int) -> Rate:
        """This rate, broadcastable to one step (N, C, ...) of an input of `ndim` axes."""
        if isinstance(self.gain, torch.Tensor) and isinstance(self.tau, torch.Tensor) and self.gain.ndim:
            shape = (-1, *(1,) * (ndim - 3))
            return Rate(self.gain.view(shape), self.tau.view(shape))
        return self


class Leaky(nn.Module):
    """A layer over (T, N, ...) with a membrane that leaks; `channels` C gives each channel (axis 2) its own tau.

    Learned taus are the parameter `w`, of shape () or (C,), and in the state dict; fixed taus are not in it.
    """

    fused_compiles = True

    w: torch.Tensor
    taus: torch.Tensor

    def __init__(
        self, tau: float | Sequence[float], learn_tau: bool, channels: int | None, backend: str | None
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if backend is not None:
            require_choice(backend, "backend", name, BACKENDS)
        require_flag(learn_tau, "learn_tau", name)
        if channels is not None:
            require_count(channels, "channels", name)
        self.backend = backend
        self.last_backend: str | None = None
        self.channels, self.learn_tau = channels, learn_tau
        self._taus = _checked_taus(tau, learn_tau, channels, name)
        shape = () if channels is None else (channels,)
        if learn_tau:
            self.w = nn.Parameter(torch.tensor([-math.log(t - 1) for t in self._taus]).view(shape))
        elif channels is not None:
            # In float64, so that a double-precision network does not get single-precision taus.
            self.register_buffer("taus", torch.tensor(self._taus, dtype=torch.float64), persistent=False)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Leaky:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        # .half() and .to_empty() must not change taus: they are constants, rounded only where they are used.
        if "taus" in self._buffers and not self.taus.is_meta:
            self.taus = torch.tensor(self._taus, dtype=torch.float64, device=self.taus.device)
        return self

    def backend_used(self, x: torch.Tensor) -> str:
        """The backend for this input: "norse", "numba" or "triton". Raises BadSpec if a forced one does not support it."""
        return choose(x, self.backend, type(self).__name__, self.fused_compiles)

    def record_backend(self, x: torch.Tensor) -> str:
        """The result of `backend_used`, also stored in `last_backend`."""
        self.last_backend = self.backend_used(x)
        return self.last_backend

    @property
    def tau(self) -> float | tuple[float, ...]:
        """The current time constant in time steps: one number, or C numbers if `channels` is C."""
        if self.learn_tau:
            taus = (1 + torch.exp(-self.w.detach().double())).flatten().tolist()
            return taus[0] if self.channels is None else tuple(taus)
        return self._taus[0] if self.channels is None else self._taus

    def rate(self, x: torch.Tensor) -> Rate:
        """1/tau and tau for this input, in the dtype of the computation."""
        if self.channels is not None and (x.ndim < 3 or x.shape[2] != self.channels):
            raise BadSpec(
                f"made for C={self.channels}, got shape {tuple(x.shape)}",
                where=type(self).__name__,
                allowed=f"(T, N, {self.channels}, ...)",
            )
        dtype = compute_dtype(x.dtype)
        if self.learn_tau:
            gain = torch.sigmoid(self.w.to(dtype))
            return Rate(gain, 1 / gain)
        if self.channels is None:
            return Rate(1 / self._taus[0], self._taus[0])
        return Rate((1 / self.taus).to(dtype), self.taus.to(dtype))

    def tau_repr(self) -> str:
        """The part of `extra_repr` that all leaky layers share."""
        taus = self.tau if isinstance(self.tau, tuple) else (self.tau,)
        low, high = min(taus), max(taus)
        text = f"tau={low:g}" if low == high else f"tau={low:g} to {high:g}"
        text += f", channels={self.channels}" if self.channels is not None else ""
        return text + (", learn_tau=True" if self.learn_tau else "")


def _checked_taus(
    tau: float | Sequence[float], learn_tau: bool, channels: int | None, layer_name: str
) -> tuple[float, ...]:
    """One time constant, or one for each channel. Raises BadSpec for values that are not time constants."""
    values: Any = tau.tolist() if hasattr(tau, "tolist") else tau  # numpy arrays and torch tensors
    per_channel = not is_number(values)
    if per_channel and not (isinstance(values, list | tuple) and all(map(is_number, values))):
        raise BadSpec(
            f"tau is {tau!r}", where=layer_name, allowed="a number of time steps, or one for each channel"
        )
    taus = tuple(float(t) for t in values) if per_channel else (float(values),)
    if per_channel and channels != len(taus):
        raise BadSpec(
            f"{len(taus)} taus for channels={channels}",
            where=layer_name,
            allowed="one tau, or one for each channel",
        )
    for t in taus:
        if not (math.isfinite(t) and t >= 1):
            raise BadSpec(f"tau is {t!r} time steps", where=layer_name, allowed="1 (no memory) or more")
        if learn_tau and t == 1:
            raise BadSpec(
                "tau is 1.0 and learned",
                where=layer_name,
                allowed="above 1, since 1/tau is a sigmoid below 1",
            )
    return taus if per_channel or channels is None else taus * channels
