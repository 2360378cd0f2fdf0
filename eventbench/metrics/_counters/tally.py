"""Sums of synaptic operations of one module, kept on the device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from eventbench.metrics._counters.base import Rows
from eventbench.metrics._counters.order import ORDERS, by_sample


class Tally:
    """(acs, macs, dense) of one module so far, for every order its inputs can be in."""

    def __init__(self, device: torch.device) -> None:
        self.orders = set(ORDERS)
        self.totals = {order: torch.zeros(3, dtype=torch.int64, device=device) for order in ORDERS}
        self.reset()

    def reset(self) -> None:
        """Start the counts of a new forward at 0."""
        self.called = False
        self._factors: dict[tuple[str, int], tuple[torch.Tensor, torch.Tensor]] = {}
        self._declared: list[torch.Tensor] = []
        self._dense = 0

    def add_call(self, factors: Sequence[Rows], orders: Iterable[str], steps: int, samples: int) -> None:
        """Add the products of one call. A factor is binary for a sample where it is in all calls of the forward."""
        for place, rows in enumerate(factors):
            for order in orders:
                pairs = by_sample(rows.pairs, order, steps, samples).sum(1)
                ternary = by_sample(rows.ternary, order, steps, samples).all(1)
                if (order, place) in self._factors:
                    earlier_pairs, earlier_ternary = self._factors[order, place]
                    pairs, ternary = pairs + earlier_pairs, ternary & earlier_ternary
                self._factors[order, place] = pairs, ternary
            self._dense += rows.dense

    def add_declared(self, acs: torch.Tensor, macs: torch.Tensor, dense: torch.Tensor) -> None:
        """Add operations that the module declares itself: three tensors without axes."""
        self._declared.append(torch.stack([acs, macs, dense]))

    def commit(self) -> None:
        """Add the counts of the forward to the totals."""
        for (order, place), (pairs, ternary) in self._factors.items():
            acs = (pairs * ternary).sum()
            dense = torch.full_like(acs, self._dense if place == 0 else 0)
            self.totals[order] += torch.stack([acs, pairs.sum() - acs, dense])
        for counts in self._declared:
            for total in self.totals.values():
                total += counts
        self.reset()

    def settled(self) -> torch.Tensor | None:
        """The totals, where all orders that are left agree on them; else None."""
        totals = [self.totals[order] for order in sorted(self.orders)]
        return totals[0] if all(torch.equal(totals[0], other) for other in totals[1:]) else None
