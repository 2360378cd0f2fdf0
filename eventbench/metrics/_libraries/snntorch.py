"""snnTorch: its neurons fire; they return the spikes, or the spikes and their state."""

from __future__ import annotations

import snntorch
from torch import nn

from eventbench.metrics._counters.base import Counter


def fires(module: nn.Module) -> bool:
    """A `SpikingNeuron`."""
    return isinstance(module, snntorch.SpikingNeuron)


def counter_of(module: nn.Module) -> Counter | None:  # noqa: ARG001  # as in every library
    """None: recurrent ones call layers of torch, which are counted."""
    return None
