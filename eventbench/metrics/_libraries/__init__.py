"""Neurons and layers of other libraries, one file a library: which fire, what of their output is spikes, what multiplies.

A file is imported where a model has a module of its library, and only then.
"""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from torch import nn

from eventbench.metrics._counters.base import Counter
from eventbench.models.protocols import is_spiking

LIBRARIES = ("norse", "snntorch", "spikingjelly")


class Library(Protocol):
    """What each file of this folder has."""

    def fires(self, module: nn.Module) -> bool:
        """Whether a module of the library is a layer of neurons that spike."""

    def counter_of(self, module: nn.Module) -> Counter | None:
        """What counts its operations; None where torch's own layers or nothing do."""


def library_of(module: nn.Module) -> Library | None:
    """The library that a module, or a class it derives from, is of."""
    for base in type(module).__mro__:
        name = base.__module__.partition(".")[0]
        if name in LIBRARIES:
            return cast("Library", importlib.import_module(f"eventbench.metrics._libraries.{name}"))
    return None


def fires(module: nn.Module) -> bool:
    """Whether a module is a layer of spiking neurons: declared so (`spiking = True`), or of a library that says so."""
    library = library_of(module)
    return is_spiking(module) if library is None else library.fires(module)
