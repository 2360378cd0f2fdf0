"""MS-ResNet: residual blocks whose shortcut carries input currents of the neurons and not spikes.

Source: Hu et al., "Advancing spiking neural networks toward deep residual learning", IEEE TNNLS 2024, arXiv
2112.08954; released code `Ariande1/MS-ResNet`. The TCJA and PFA papers report it with their module in every block, on
still images. Neither released code for it, so the place of the module in a block is our reading; the config can change it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers import LIF
from eventbench.models._config import Neuron, require_depths, residual_blocks
from eventbench.models._stages import Normed, StaticStem
from eventbench.models._stepwise import StepwiseModel

PLACES = ("spikes", "branch")
# `mem_update` of the released code: m = m/4 + x, a spike where m > 1/2. Its surrogate is a rectangle, here a triangle.
MS_NEURON = {"tau": 4 / 3, "threshold": 0.5, "decay_input": False, "surrogate": "triangle", "alpha": 1.0}


class MembraneBlock(nn.Module):
    """LIF, conv, norm, LIF, conv, norm, plus the shortcut: (T, N, C, H, W) -> (T, N, C', ceil(H/s), ceil(W/s)).

    `gate` multiplies the second LIF's spikes (`place` "spikes") or the end of the residual branch ("branch").
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, neuron: Neuron, gate: nn.Module | None, place: str
    ) -> None:
        super().__init__()
        self.first_lif, self.second_lif = LIF(**neuron), LIF(**neuron)
        self.first, self.second = Normed(inputs, outputs, stride=stride), Normed(outputs, outputs)
        keeps_shape = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if keeps_shape else Normed(inputs, outputs, kernel=1, stride=stride)
        self.gate = gate or nn.Identity()
        self.place = place
        # The branch is scaled to zero at first and the shortcut to the threshold, so that depth does not matter at the start.
        for normed, scale in ((self.first, 0.5), (self.second, 0.0), (self.shortcut, 0.5)):
            if isinstance(normed, Normed):
                nn.init.constant_(normed.norm.weight, scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spikes = self.second_lif(self.first(self.first_lif(x)))
        on_spikes = self.place == "spikes"
        branch: torch.Tensor = self.second(self.gate(spikes)) if on_spikes else self.gate(self.second(spikes))
        shortcut: torch.Tensor = self.shortcut(x)
        return branch + shortcut


class MSResNet(StepwiseModel):
    """Images (N, C, H, W), or frames (T, N, C, H, W), to logits (N, K).

    `blocks` is the number of blocks of each stage; the first stage has full size, each further one half the size.
    """

    def __init__(
        self,
        time_steps: int,
        classes: int,
        inputs: int,
        channels: Sequence[int],
        blocks: int | Sequence[int],
        neuron: Neuron,
        gate: Callable[[int], nn.Module],
        place: str,
    ) -> None:
        super().__init__()
        if place not in PLACES:
            raise BadSpec(f"place is {place!r}", where="model config", allowed=", ".join(PLACES))
        depths = require_depths(channels, blocks)
        self.stem = StaticStem(time_steps, inputs, channels[0])
        self.blocks = nn.Sequential(
            *(
                MembraneBlock(block.inputs, block.outputs, block.stride, neuron, gate(block.outputs), place)
                for block in residual_blocks(channels, depths)
            )
        )
        self.lif = LIF(**neuron)
        self.readout = nn.Linear(channels[-1], classes)

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """Implements `StepwiseModel.scores_per_step`."""
        spikes: torch.Tensor = self.lif(self.blocks(self.stem(frames)))
        scores: torch.Tensor = self.readout(spikes.mean((3, 4)))
        return scores
