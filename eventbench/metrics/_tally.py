"""Sums of synaptic operations of one module, kept on the device."""

from __future__ import annotations

import torch


class Tally:
    """(acs, macs, dense) of one module so far, for every order its inputs can be in."""

    def __init__(self, device: torch.device) -> None:
        self.orders = {"sample", "time"}
        self.totals = {order: torch.zeros(3, dtype=torch.int64, device=device) for order in self.orders}
        self.forget()

    def forget(self) -> None:
        """Start the counts of a forward afresh."""
        self.called = False
        self._rows: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        self._more: list[torch.Tensor] = []
        self._dense = 0

    def add_layer(self, order: str, pairs: torch.Tensor, ternary: torch.Tensor) -> None:
        """Pairs (N,) of one call, and whether each sample's input was all -1, 0 and 1, (N,)."""
        if order in self._rows:
            pairs, ternary = pairs + self._rows[order][0], ternary & self._rows[order][1]
        self._rows[order] = pairs, ternary

    def add_dense(self, dense: int) -> None:
        self._dense += dense

    def add(self, acs: torch.Tensor, macs: torch.Tensor, dense: torch.Tensor) -> None:
        self._more.append(torch.stack([acs, macs, dense]))

    def commit(self) -> None:
        """Take the forward into the totals."""
        for order, total in self.totals.items():
            if order in self._rows:
                pairs, ternary = self._rows[order]
                acs = (pairs * ternary).sum()
                total += torch.stack([acs, pairs.sum() - acs, torch.full_like(acs, self._dense)])
            for more in self._more:
                total += more
        self.forget()
