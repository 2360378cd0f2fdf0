"""What counts the operations of one layer: from a call of it, products by row of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch


class Call(NamedTuple):
    """A call of a layer: its arguments and what it returned."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """An argument, given by place or by name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)

    @property
    def x(self) -> torch.Tensor:
        """The first argument, which is a tensor."""
        x = self.args[0] if self.args else next(iter(self.kwargs.values()))
        assert isinstance(x, torch.Tensor)
        return x


class Rows(NamedTuple):
    """Counts of one factor of a layer's products, its axes those that hold steps and samples.

    `pairs` (leading axes), int: the products in which no factor is zero; `ternary` (leading axes), bool: whether the row's
    values are all -1, 0 or 1, so that they are additions; `dense`: the products of all rows as if nothing were zero.
    """

    pairs: torch.Tensor
    ternary: torch.Tensor
    dense: int


class Counter(Protocol):
    """Counts the operations of one layer. Raises NotCounted for a call that it does not know how to count."""

    def inputs(self, call: Call) -> Sequence[tuple[torch.Tensor, int]]:
        """Each input, its axes of steps and samples first, and how many these are. (B, L, F) has two."""

    def count(self, call: Call) -> Sequence[Rows]:
        """The products of a call, the rows of each factor by the leading axes of `inputs`."""


def is_ternary(x: torch.Tensor, axes: int) -> torch.Tensor:
    """bool, of the first `axes` axes of x: whether all values behind are -1, 0 or 1."""
    ternary = (x == 0) | (x.abs() == 1)
    return ternary.flatten(axes).all(axes) if x.ndim > axes else ternary


def matrix_rows(x: torch.Tensor, weight: torch.Tensor) -> Rows:
    """Products of x (*leading, F) with a matrix (outputs, F)."""
    fan_out = (weight.detach() != 0).sum(0)
    pairs = ((x != 0) * fan_out).sum(-1)
    return Rows(pairs, is_ternary(x, x.ndim - 1), weight.numel() * (x.numel() // max(1, x.shape[-1])))


def plain_rows(pairs: torch.Tensor, dense: int) -> Rows:
    """Multiply-accumulates that are counted already, (leading axes)."""
    return Rows(pairs.to(torch.int64), torch.zeros_like(pairs, dtype=torch.bool), dense)
