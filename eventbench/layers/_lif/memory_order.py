"""`Layout`: views of tensors (T, N, ...) as the rows (T, M) of the kernels, without a copy if they are dense in memory."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch


class Layout(NamedTuple):
    """The axes from outermost to innermost in memory, always T first, and how many neighbours share a channel."""

    order: tuple[int, ...]
    shape: torch.Size
    strides: tuple[int, ...]  # of the output tensors
    inner: int  # how many neurons side by side share a channel, axis 2

    @classmethod
    def of(cls, x: torch.Tensor) -> Layout:
        """The memory order of x if it is dense with T outermost, else the order of its axes."""
        strides = x.stride()
        order = (0, *sorted(range(1, x.ndim), key=lambda axis: (-strides[axis], axis)))
        if not x.permute(order).is_contiguous():
            order = tuple(range(x.ndim))
            strides = tuple(math.prod(x.shape[axis + 1 :]) for axis in order)
        inner_axes = order[order.index(2) + 1 :] if x.ndim > 2 else ()
        return cls(order, x.shape, strides, math.prod(x.shape[axis] for axis in inner_axes))

    def rows(self, x: torch.Tensor) -> torch.Tensor:
        """(T, N, ...) -> (T, M), a view if x has this layout, else a copy."""
        return x.permute(self.order).reshape(x.shape[0], -1).contiguous()

    def row(self, v: torch.Tensor) -> torch.Tensor:
        """(N, ...) -> (M,), likewise."""
        return self.rows(v[None])[0]

    def empty(self, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """A new (T, N, ...) of which `rows` is a view. It is not a view itself, so callers may change it in place."""
        return torch.empty_strided(self.shape, self.strides, dtype=dtype, device=device)

    def full_step(
        self, dtype: torch.dtype, device: torch.device, values: torch.Tensor | float
    ) -> torch.Tensor:
        """A new (N, ...) filled with `values`, of which `row` is a view."""
        out = torch.empty_strided(self.shape[1:], self.strides[1:], dtype=dtype, device=device)
        return out.copy_(values) if isinstance(values, torch.Tensor) else out.fill_(values)
