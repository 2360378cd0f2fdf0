"""Which rows of a layer's input belong to which sample, found from its shape and, where that leaves a choice, by trial.

The orders known here, for T steps and N samples, by the leading axes (all but those that the layer works on):
* "sample": the first axis is N, or N · k with row n · k + j, as in (N, F), (N, T, C), (N·T, C, H, W) or (N·windows, L, C);
* "time": the leading axes are T, N, or one axis of T · N · k with row (t · N + n) · k + j, as in (T·N, C, H, W);
* "second": the second axis is N, as in (L, N, F) of sequences whose length is not T;
* "last": the first axis is k · N with row j · N + n, as in (windows·N, L, C).

One shape may fit several, (5, 5, F) or (T·N, F) for instance, so a layer keeps every order that all of its calls fit. Of
these, the one is right in which rows of a sample do not change where only another sample does: `disproved`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

ALLOWED = "leading axes N, T·N, N·T, windows·N or N·windows, or T, N, or L, N"
ORDERS = ("sample", "time", "second", "last")


def orders(leading: Sequence[int], steps: int, samples: int) -> set[str]:
    """The orders that an input can be in, from its leading axes."""
    if not leading:
        return set()
    fitting = set()
    if leading[0] % samples == 0:
        fitting |= {"sample", "last"}
    if leading[0] % (steps * samples) == 0 or tuple(leading[:2]) == (steps, samples):
        fitting.add("time")
    if len(leading) > 1 and leading[1] == samples and leading[0] != steps:
        fitting.add("second")
    return fitting


def by_sample(rows: torch.Tensor, order: str, steps: int, samples: int) -> torch.Tensor:
    """Values per row, shaped as the leading axes -> (N, rows of a sample)."""
    if order == "sample":
        return rows.reshape(samples, -1)
    if order == "second":
        return rows.movedim(1, 0).flatten(1)
    if order == "last":
        return rows.reshape(len(rows) // samples, samples, -1).movedim(1, 0).flatten(1)
    return rows.reshape(steps, samples, -1).movedim(1, 0).flatten(1)


def disproved(changed: torch.Tensor, order: str, steps: int) -> bool:
    """Whether rows of the first of two samples changed where only the second did: bool (leading axes), for N = 2."""
    return bool(by_sample(changed, order, steps, 2)[0].any())
