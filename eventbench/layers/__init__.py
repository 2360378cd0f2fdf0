"""Layers over (T, N, ...) tensors, one paper a file: spiking neurons, two attention modules, a voting head."""

from __future__ import annotations

from eventbench.layers.lif import LIF
from eventbench.layers.pfa import PFA
from eventbench.layers.tcja import TCJA
from eventbench.layers.voting import Voting

__all__ = ["LIF", "PFA", "TCJA", "Voting"]
