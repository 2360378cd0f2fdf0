"""Surrogate gradients: slopes used as the derivative of a spike, ds/dh, as functions of u = h - threshold.

Norse 1.1.0 picks a surrogate by name from the fixed list in `norse.torch.functional.threshold.threshold`. For the
slopes that are not on it, `spike_slope` attaches the slope to the spikes that Norse's step has already computed, so
the forward pass is bit-identical to Norse's.

| name       | ds/dh                                   | computed by                                            |
| ---------- | --------------------------------------- | ------------------------------------------------------ |
| `atan`     | (alpha/2) / (1 + (pi/2 · alpha · u)²)   | here; SpikingJelly's `ATan`, used by TCJA and PFA      |
| `sigmoid`  | alpha · s · (1 − s), s = σ(alpha · u)   | here; SpikingJelly's `Sigmoid`                         |
| `triangle` | alpha · max(0, 1 − abs(u))              | Norse; at alpha=1 SpikingJelly's `PiecewiseQuadratic(1)` and the TET nets' with gamma=1 |
| `super`    | 1 / (abs(u) + 1)²                       | Norse's SuperSpike, which ignores alpha in 1.1.0        |
| `super_alpha` | 1 / (alpha · abs(u) + 1)²            | here; SuperSpike as published (Zenke & Ganguli 2018, section 3.3.2, with alpha for β) |
| `tanh`     | 1 − tanh(alpha · u)²                    | Norse                                                  |

In `triangle`, alpha scales the height and the width stays 1, as in Norse; in SpikingJelly's
`PiecewiseQuadratic` it also narrows the base. The two agree at alpha=1 only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

Slope = Callable[[torch.Tensor, float], torch.Tensor]


def atan_slope(u: torch.Tensor, alpha: float) -> torch.Tensor:
    """Derivative of atan(pi/2 · alpha · u) / pi + 1/2; for alpha=2 this is 1 / (1 + (pi · u)²)."""
    return (alpha / 2) / (1 + (math.pi / 2 * alpha * u).square())


def sigmoid_slope(u: torch.Tensor, alpha: float) -> torch.Tensor:
    """Derivative of σ(alpha · u)."""
    s = torch.sigmoid(alpha * u)
    return alpha * s * (1 - s)


def super_alpha_slope(u: torch.Tensor, alpha: float) -> torch.Tensor:
    """1 / (alpha · |u| + 1)², SuperSpike with the steepness that Norse 1.1.0 leaves out of its backward pass."""
    return 1 / (alpha * u.abs() + 1).square()


SLOPES: dict[str, Slope] = {"atan": atan_slope, "sigmoid": sigmoid_slope, "super_alpha": super_alpha_slope}
NORSE_SURROGATES = ("super", "tanh", "triangle")
SURROGATES = tuple(sorted((*SLOPES, *NORSE_SURROGATES)))


class _SpikeSlope(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: torch.Tensor, spikes: torch.Tensor, slope: Slope, alpha: float) -> torch.Tensor:
        ctx.save_for_backward(u)
        ctx.slope, ctx.alpha = slope, alpha
        if torch.compiler.is_compiling():  # torch.compile cannot trace mark_dirty, and removes this copy
            return spikes.clone()
        ctx.mark_dirty(spikes)  # returns the same tensor, now with a gradient
        return spikes

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        (u,) = ctx.saved_tensors
        return grads[0] * ctx.slope(u, ctx.alpha), None, None, None


def spike_slope(u: torch.Tensor, spikes: torch.Tensor, surrogate: str, alpha: float) -> torch.Tensor:
    """`spikes` itself, with the slope of `surrogate` (one of `SLOPES`) at u = h − threshold as its derivative."""
    attached: torch.Tensor = _SpikeSlope.apply(u, spikes, SLOPES[surrogate], alpha)  # type: ignore[no-untyped-call]
    return attached
