"""PFA-SNN for DVS128 Gesture: a VGG of eight convolutions at full size, PFA on the frames and after every pool.

Source: Deng et al., Knowledge-Based Systems 295:111780, 2024, arXiv 2310.14576; `VGG_Gesture` of `CIFAR/VGG.py` in
`RisingEntropy/PFA` at 21191c0. Published: 20 frames of 128 x 128, rank 32, 12,927,918 parameters, MSE of the rates of
110 outputs against 110-way one-hot labels, 11 of which occur.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.models._config import SPIKINGJELLY, neuron_settings, pooled_size
from eventbench.models._readout import readout
from eventbench.models._stepwise import Chain
from eventbench.models._vgg import pfa_gates, vgg_stages


class PFAVGGGesture(Chain):
    """Frames (T, N, 2, H, W) of counts to the firing rates of the first K output neurons, (N, K) in 0 to 1.

    There are `outputs` neurons, by default 110 or K if K is larger, and no voting: the other neurons are for classes
    that never occur. `scores_per_step` returns all of them with `every=True`. `rank` is that of every PFA but the last,
    whose rank is `last_rank`: the released network ignores its own argument there. The other arguments are as in
    `pfa_vgg_cifar10dvs`.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int | Sequence[int]] = ((64, 128), (256, 256), (512, 512), (512, 512)),
        gated: Sequence[int] | None = None,
        rank: int = 32,
        last_rank: int = 64,
        composition: str = "mean",
        fusion: str = "multiply_relu",
        kernel_over_space: int = 3,
        place: str = "after_pool",
        gated_input: bool = True,
        pool: str = "average",
        outputs: int | None = None,
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 2,
    ) -> None:
        super().__init__()
        lif = neuron_settings(SPIKINGJELLY, neuron)
        gated = list(range(len(channels))) if gated is None else gated
        ranks = [rank] * (len(gated) + gated_input - 1) + [last_rank]
        gate = pfa_gates(time_steps, ranks, composition, fusion, kernel_over_space, gated_input=gated_input)
        on_input = [gate(-1, inputs)] if gated_input else []
        layers, width = vgg_stages(inputs, channels, pool, lif, gate=gate, gated=gated, place=place)
        W, H = pooled_size(sensor, len(channels))
        self.classes, self.outputs = classes, max(110, classes) if outputs is None else outputs
        if self.outputs < classes:
            raise BadSpec(
                f"outputs is {outputs}",
                where="model config",
                allowed=f"{classes} or more, the number of classes",
            )
        self.features = nn.Sequential(*on_input, *layers)
        self.head = nn.Sequential(*readout(width * H * W, (self.outputs,), lif, bias=True))

    def scores_per_step(self, frames: torch.Tensor, every: bool = False) -> torch.Tensor:
        """Scores (T, N, K) of frames (T, N, C, H, W); with `every` those of all output neurons, (T, N, outputs)."""
        scores = super().scores_per_step(frames)
        return scores if every else scores[..., : self.classes]
