"""SEW-ResNet-18: residual blocks that add spikes to spikes, so that a block can be the identity.

Source: Fang et al., "Deep residual learning in spiking neural networks", NeurIPS 2021, arXiv 2102.04159; released code
`fangwei123456/Spike-Element-Wise-ResNet`. Published with this shape for ImageNet (T=4, 3 channels, 224 x 224, 1,000
classes, IF neurons); the paper's nets for event data are shallower and use PLIF.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.models._config import SPIKINGJELLY, Neuron, neuron_settings, require_depths, residual_blocks
from eventbench.models._stages import PerStep, Stage, he_init
from eventbench.models._stepwise import StepwiseModel

CONNECTIONS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "add": lambda branch, x: branch + x,
    "and": lambda branch, x: branch * x,
    "iand": lambda branch, x: x * (1 - branch),
}


class SEWBlock(nn.Module):
    """Two stages, combined with the shortcut element by element: spikes (T, N, C, H, W) -> (T, N, C', H', W')."""

    def __init__(self, inputs: int, outputs: int, stride: int, neuron: Neuron, connect: str) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            Stage(inputs, outputs, neuron, stride=stride), Stage(outputs, outputs, neuron)
        )
        keeps_shape = stride == 1 and inputs == outputs
        self.shortcut = (
            nn.Identity() if keeps_shape else Stage(inputs, outputs, neuron, kernel=1, stride=stride)
        )
        self.connect = CONNECTIONS[connect]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The branch and the shortcut, combined by `connect`."""
        return self.connect(self.branch(x), self.shortcut(x))


class SEWResNet18(StepwiseModel):
    """Frames (T, N, C, H, W) to logits (N, K), for any sensor.

    `connect` is the paper's g: "add" (published), "and", "iand". `channels` has one entry per stage, `blocks` is one
    number or has one entry per stage. The neuron is LIF with tau 2, as in the paper's nets for event data, but there
    tau is learned; `neuron` overrides keyword arguments of LIF ({"learn_tau": True} is PLIF). Ties fire, and
    convolutions start as He et al.'s by fan-out, as in the released code. Differs from it in the neuron (IF there,
    without a leak) and in that the stem sees every frame: there it convolves one image, which is repeated over T. Its
    `zero_init_residual` is off by default there and missing here.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int] = (64, 128, 256, 512),
        blocks: int | Sequence[int] = 2,
        connect: str = "add",
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 2,
    ) -> None:
        super().__init__()
        if connect not in CONNECTIONS:
            raise BadSpec(
                f"connect is {connect!r}", where="model config", allowed=", ".join(sorted(CONNECTIONS))
            )
        lif = neuron_settings(SPIKINGJELLY, neuron)
        depths = require_depths(channels, blocks)
        self.features = nn.Sequential(
            Stage(inputs, channels[0], lif, kernel=7, stride=2),
            PerStep(nn.MaxPool2d(3, stride=2, padding=1)),
            *(
                SEWBlock(block.inputs, block.outputs, block.stride, lif, connect)
                for block in residual_blocks(channels, depths)
            ),
        )
        self.readout = nn.Linear(channels[-1], classes)
        he_init(self)

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """Implements `StepwiseModel.scores_per_step`."""
        scores: torch.Tensor = self.readout(self.features(frames).mean((3, 4)))
        return scores
