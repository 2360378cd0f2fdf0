"""Products of a layer whose spikes are fed back through a matrix: `recurrent.weight` times the spikes of the step before."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from eventbench.metrics._counters.base import Call, Rows, matrix_rows
from eventbench.models.protocols import FeedsSpikesBack


class FeedbackCounter:
    """Counts a layer (T, N, C) -> spikes (T, N, C), such as `RecurrentLIF`; a state begins with the spikes before."""

    def __init__(self, layer: FeedsSpikesBack) -> None:
        self._layer = layer

    def inputs(self, call: Call) -> Sequence[tuple[torch.Tensor, int]]:
        """The currents, (T, N, C)."""
        return [(call.x, 2)]

    def count(self, call: Call) -> Sequence[Rows]:
        """Of the spikes that are fed back, (T, N)."""
        spikes = call.output[0] if isinstance(call.output, tuple) else call.output
        state = call.argument(1, "state")
        first = torch.zeros_like(spikes[:1]) if state is None else state[0][None].to(spikes.dtype)
        return [matrix_rows(torch.cat([first, spikes[:-1]]), self._layer.recurrent.weight)]
