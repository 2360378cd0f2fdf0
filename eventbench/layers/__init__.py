"""Layers for (T, N, ...) tensors, one public layer per file: leaky and spiking neurons, two attention modules, a voting head."""

from __future__ import annotations

from eventbench.layers.li import LI
from eventbench.layers.lif import LIF, backends_used
from eventbench.layers.norm_lif import norm_lif
from eventbench.layers.pfa import PFA
from eventbench.layers.recurrent_lif import RecurrentLIF
from eventbench.layers.tcja import TCJA
from eventbench.layers.voting import Voting

__all__ = ["LI", "LIF", "PFA", "TCJA", "RecurrentLIF", "Voting", "backends_used", "norm_lif"]
