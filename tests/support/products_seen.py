"""An oracle of synaptic operations: every product that torch runs, taken apart where torch itself dispatches it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode


class ProductsSeen(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts pairs of numbers that are not zero in matrix products and convolutions, whatever layer they are of."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.pairs = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in ("mm", "bmm"):
            self.pairs += _matrix_pairs(args[0], args[1])
        elif name.startswith("_scaled_dot_product"):
            causal = len(args) > 4 and args[4]
            self.pairs += _attention_pairs(args[0], args[1], args[2], (kwargs or {}).get("attn_mask"), causal)
        elif name in ("addmm", "baddbmm"):
            self.pairs += _matrix_pairs(args[1], args[2])
        elif name == "convolution":
            x, weight = ((tensor.detach() != 0).double() for tensor in args[:2])
            self.pairs += int(torch.ops.aten.convolution(x, weight, None, *args[3:]).sum().round())
        return func(*args, **(kwargs or {}))


def _matrix_pairs(a: torch.Tensor, b: torch.Tensor) -> int:
    return int(((a != 0).double() @ (b != 0).double()).sum().round())


def _attention_pairs(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None, causal: bool
) -> int:
    scores = queries @ keys.mT / queries.shape[-1] ** 0.5
    if causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if mask is not None:
        scores = scores + mask if mask.is_floating_point() else scores.masked_fill(~mask, -torch.inf)
    return _matrix_pairs(queries, keys.mT) + _matrix_pairs(scores.softmax(-1), values)


def pairs_of_a_sample(model: nn.Module, frames: torch.Tensor) -> float:
    """Mean pairs of a sample of frames (T, N, C, H, W), each run alone."""
    with torch.no_grad(), ProductsSeen() as seen:
        for sample in frames.split(1, 1):
            model(sample)
    return seen.pairs / frames.shape[1]
