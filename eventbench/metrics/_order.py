"""The order of samples and time steps in a layer's input, found from its shape.

The two orders known here, for T steps and N samples:
* "sample": the leading axis is N, as in (N, F), (N, T, C) or (N, C, H, W); entry n belongs to sample n;
* "time": the leading axes are T, N, or one axis of T · N with row t · N + n, as in (T, N, F) or (T·N, C, H, W).

One shape may fit both, (5, 5, F) for instance, so a layer keeps every order that all of its calls fit.
A batch of one sample has T = N only where T = 1, when both orders are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

ALLOWED = "leading axes N, T·N (row t·N+n), or T, N"


def orders(leading: Sequence[int], steps: int, samples: int) -> set[str]:
    """The orders that an input can be in, from its leading axes (all but those that the layer works on)."""
    fitting = set()
    if leading and leading[0] == samples:
        fitting.add("sample")
    if leading and (leading[0] == steps * samples or tuple(leading[:2]) == (steps, samples)):
        fitting.add("time")
    return fitting


def by_sample(rows: torch.Tensor, order: str, steps: int, samples: int) -> torch.Tensor:
    """Values per row, shaped as the leading axes -> (N, rows of a sample)."""
    if order == "sample":
        return rows.reshape(samples, -1)
    return rows.reshape(steps, samples, -1).movedim(1, 0).flatten(1)
