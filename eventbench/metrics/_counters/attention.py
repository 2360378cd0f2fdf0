"""Products of torch's MultiheadAttention: four projections, queries times keys, weights times values.

Vaswani et al., arXiv 1706.03762. A product is effective where neither factor is zero; a position that a mask hides has the
weight 0, and so has one whose softmax is too small for its type. The projections are additions where their input is binary.
NeuroBench 2.3 does not count attention.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import linear

from eventbench.errors import NotCounted
from eventbench.metrics._counters.base import Call, Rows, matrix_rows, plain_rows


class AttentionCounter:
    """Counts a MultiheadAttention over (L, B, E) or (B, L, E)."""

    def __init__(self, layer: nn.MultiheadAttention) -> None:
        self._layer = layer

    def inputs(self, call: Call) -> Sequence[tuple[torch.Tensor, int]]:
        """Queries, keys and values, each (B, L, E)."""
        tensors = [call.argument(place, name) for place, name in enumerate(("query", "key", "value"))]
        if any(tensor.ndim != 3 for tensor in tensors):
            raise NotCounted(
                f"attention was called with queries {tuple(tensors[0].shape)}, without an axis of samples"
            )
        if self._layer.bias_k is not None or self._layer.add_zero_attn:
            raise NotCounted("attention with bias_k or add_zero_attn")
        return [(tensor if self._layer.batch_first else tensor.transpose(0, 1), 2) for tensor in tensors]

    def count(self, call: Call) -> Sequence[Rows]:
        """The rows of queries, keys, values, of both products by query, and of the output's projection, (B, L) each."""
        layer = self._layer
        inputs = [x for x, _ in self.inputs(call)]
        projected, rows = [], []
        for x, (weight, bias) in zip(inputs, self._projections(), strict=True):
            rows.append(matrix_rows(x, weight))
            projected.append(
                torch.unflatten(linear(x, weight, bias), 2, (layer.num_heads, -1)).transpose(1, 2)
            )
        queries, keys, values = projected  # (B, heads, L, D)
        weights = self._weights(queries, keys, call)
        products = ((queries != 0) * (keys != 0).sum(2, keepdim=True)).sum((1, 3))
        products += ((weights != 0) * (values != 0).sum(3).unsqueeze(2)).sum((1, 3))
        rows.append(plain_rows(products, 2 * queries.numel() * keys.shape[2]))
        attended = (weights @ values).transpose(1, 2).flatten(2)
        rows.append(matrix_rows(attended, layer.out_proj.weight))
        return rows

    def _projections(self) -> list[tuple[torch.Tensor, torch.Tensor | None]]:
        layer = self._layer
        if layer.in_proj_weight is not None:
            weights = list(layer.in_proj_weight.chunk(3))
        else:
            weights = [layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight]  # type: ignore[list-item]
        biases = [None] * 3 if layer.in_proj_bias is None else list(layer.in_proj_bias.chunk(3))
        return list(zip(weights, biases, strict=True))

    def _weights(self, queries: torch.Tensor, keys: torch.Tensor, call: Call) -> torch.Tensor:
        """Softmax weights (B, heads, L, S), with the masks of the call."""
        scores = queries @ keys.mT / queries.shape[3] ** 0.5
        mask, padding = call.argument(5, "attn_mask"), call.argument(3, "key_padding_mask")
        if mask is not None:
            mask = torch.unflatten(mask, 0, (len(queries), -1)) if mask.ndim == 3 else mask
            scores = _masked(scores, mask)
        if padding is not None:
            scores = _masked(scores, padding[:, None, None, :])
        weights: torch.Tensor = scores.softmax(-1)
        return weights


def _masked(scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return scores.masked_fill(mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
