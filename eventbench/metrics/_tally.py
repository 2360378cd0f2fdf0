"""Sums of synaptic operations of one module, kept on the device."""

from __future__ import annotations

import torch


class Tally:
    """(acs, macs, dense) of one module so far, for every order its inputs can be in."""

    def __init__(self, device: torch.device) -> None:
        self.orders = {"sample", "time"}
        self.totals = {order: torch.zeros(3, dtype=torch.int64, device=device) for order in self.orders}
        self.reset()

    def reset(self) -> None:
        """Start the counts of a new forward at 0."""
        self.called = False
        self._of_layer: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        self._declared: list[torch.Tensor] = []
        self._dense = 0

    def add_layer(self, order: str, pairs: torch.Tensor, ternary: torch.Tensor) -> None:
        """Add the pairs (N,) of one call, and whether the input of each sample was all -1, 0 and 1, (N,)."""
        if order in self._of_layer:
            earlier_pairs, earlier_ternary = self._of_layer[order]
            pairs, ternary = pairs + earlier_pairs, ternary & earlier_ternary
        self._of_layer[order] = pairs, ternary

    def add_dense(self, dense: int) -> None:
        """Add the dense pairs of one call."""
        self._dense += dense

    def add_declared(self, acs: torch.Tensor, macs: torch.Tensor, dense: torch.Tensor) -> None:
        """Add operations that the module declares itself: three tensors without axes."""
        self._declared.append(torch.stack([acs, macs, dense]))

    def commit(self) -> None:
        """Add the counts of the forward to the totals."""
        for order, total in self.totals.items():
            if order in self._of_layer:
                pairs, ternary = self._of_layer[order]
                acs = (pairs * ternary).sum()
                total += torch.stack([acs, pairs.sum() - acs, torch.full_like(acs, self._dense)])
            for counts in self._declared:
                total += counts
        self.reset()
