"""Tensors (T, N, ...) as the rows (T, M) that kernels work on, without a copy where they are dense in memory."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch


class Layout(NamedTuple):
    """The axes outermost to innermost in memory, T held first, and where a channel's neurons lie side by side."""

    order: tuple[int, ...]
    shape: torch.Size
    strides: tuple[int, ...]  # of the tensors that are returned
    inner: int  # how many neurons side by side share a channel, axis 2

    @classmethod
    def of(cls, x: torch.Tensor) -> Layout:
        """The order in which x lies in memory where it is dense with T outermost, else the order of its axes."""
        strides = x.stride()
        order = (0, *sorted(range(1, x.ndim), key=lambda axis: (-strides[axis], axis)))
        if not x.permute(order).is_contiguous():
            order = tuple(range(x.ndim))
            strides = tuple(math.prod(x.shape[axis + 1 :]) for axis in order)
        inside = order[order.index(2) + 1 :] if x.ndim > 2 else ()
        return cls(order, x.shape, strides, math.prod(x.shape[axis] for axis in inside))

    def rows(self, x: torch.Tensor) -> torch.Tensor:
        """(T, N, ...) -> (T, M), a view where x lies so, else a copy."""
        return x.permute(self.order).reshape(x.shape[0], -1).contiguous()

    def row(self, v: torch.Tensor) -> torch.Tensor:
        """(N, ...) -> (M,), likewise."""
        return self.rows(v[None])[0]

    def empty(self, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """(T, N, ...), of which `rows` is a view. No view itself, so that what follows may change it in place."""
        return torch.empty_strided(self.shape, self.strides, dtype=dtype, device=device)

    def full_step(
        self, dtype: torch.dtype, device: torch.device, values: torch.Tensor | float
    ) -> torch.Tensor:
        """(N, ...) filled with `values`, of which `row` is a view."""
        out = torch.empty_strided(self.shape[1:], self.strides[1:], dtype=dtype, device=device)
        return out.copy_(values) if isinstance(values, torch.Tensor) else out.fill_(values)
