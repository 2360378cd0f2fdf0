"""Spikformer-2-256: four pooled convolutions to tokens, two encoder blocks of spiking self-attention.

Source: Zhou et al., "Spikformer: when spiking neural network meets transformer", ICLR 2023, arXiv 2209.15425; released
code `ZK-Zhou/spikformer`, `cifar10dvs/model.py`. Published for event data: 16 frames of 128 x 128, 64 tokens of 256
channels, 16 heads, 2.57 M parameters, cross-entropy of the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.models._config import SPIKINGJELLY, neuron_settings
from eventbench.models._spiking_attention import EncoderBlock
from eventbench.models._stages import PerStep, Stage
from eventbench.models._stepwise import StepwiseModel


class SpikformerSmall(StepwiseModel):
    """Frames (T, N, 2, H, W) to logits (N, K), for any sensor.

    `width` is the number of channels of a token, divisible by 8 and by `heads`; `depth` is the number of encoder
    blocks; their perceptrons are `ratio` times as wide; `scale` multiplies the output of the attention. The position is
    encoded by a convolution whose spikes are added to the tokens.

    Ties fire, as in SpikingJelly: the neuron after the attention gets multiples of `scale`, whose membranes often lie
    exactly at its threshold. With `neuron={"fires_at": "above"}`, the rule of earlier versions, scores at the starting
    weights differ by 4 to 6 % of their mean (16 frames of 128 x 128, statistics of the batch). Differs from the released
    code in omitting modules that are built but never called there (layer norms, a position embedding, one LIF, the
    dropout of the attention) and in multiplying in the cheaper order, which is exact for whole numbers.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        width: int = 256,
        depth: int = 2,
        heads: int = 16,
        ratio: int = 4,
        scale: float = 0.25,
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 2,
    ) -> None:
        super().__init__()
        if width < 8 or width % 8:
            raise BadSpec(f"width is {width}", where="model config", allowed="a multiple of 8")
        lif = neuron_settings({**SPIKINGJELLY, "surrogate": "sigmoid", "alpha": 4.0}, neuron)
        layers: list[nn.Module] = []
        for divisor in (8, 4, 2, 1):
            layers += [
                Stage(inputs, width // divisor, lif),
                PerStep(nn.MaxPool2d(3, stride=2, padding=1)),
            ]
            inputs = width // divisor
        self.patches = nn.Sequential(*layers)
        self.position = Stage(width, width, lif)
        self.blocks = nn.Sequential(*(EncoderBlock(width, heads, ratio, scale, lif) for _ in range(depth)))
        self.readout = nn.Linear(width, classes)
        nn.init.trunc_normal_(self.readout.weight, std=0.02)
        nn.init.zeros_(self.readout.bias)

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """Implements `StepwiseModel.scores_per_step`."""
        patches = self.patches(frames)
        tokens = (patches + self.position(patches)).flatten(3)
        scores: torch.Tensor = self.readout(self.blocks(tokens).mean(3))
        return scores
