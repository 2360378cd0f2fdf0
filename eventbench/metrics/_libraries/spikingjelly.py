"""SpikingJelly: its nodes fire, its layers of several steps are torch's layers with one more axis.

Its surrogate functions are modules too, with an attribute `spiking` that says whether they are a Heaviside: no layers.
"""

from __future__ import annotations

from spikingjelly.activation_based import neuron, surrogate
from spikingjelly.activation_based.base import StepModule
from torch import nn

from eventbench.metrics._counters.base import Counter
from eventbench.metrics._counters.connections import CONNECTIONS, Connections


def fires(module: nn.Module) -> bool:
    """A class of its neurons, or derived from one; not a surrogate function, nor a node that only integrates."""
    if isinstance(module, surrogate.SurrogateFunctionBase):
        return False
    for base in type(module).__mro__:
        if base.__module__.startswith(neuron.__name__):
            return "NonSpiking" not in base.__name__
        if vars(base).get("spiking") is True:  # a layer of the user's own that declares itself
            return True
    return False


def counter_of(module: nn.Module) -> Counter | None:
    """`layer.Linear`, `layer.Conv2d` and the like: (T, N, ...) in mode "m", (N, ...) in mode "s"."""
    if not isinstance(module, StepModule) or not isinstance(module, CONNECTIONS):
        return None
    of_library = next(base for base in type(module).__mro__ if base.__module__.startswith("spikingjelly"))
    known = of_library.__name__ in {kind.__name__ for kind in CONNECTIONS}
    return Connections(module) if known and vars(of_library).get("forward") is type(module).forward else None
