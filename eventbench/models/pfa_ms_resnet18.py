"""MS-ResNet-18 with a PFA in every block, for still images repeated over T.

Source: Deng et al., KBS 295:111780, 2024, arXiv 2310.14576, report it for static images;
no code was released for it. T=4, the rank, composition and fusion and the place of the module are our unconfirmed reading.
The backbone is that of Hu et al., arXiv 2112.08954, with the 3 x 3 stem and strides usual for 32 x 32 images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.layers import PFA
from eventbench.models._config import neuron_settings
from eventbench.models._ms_resnet import MS_NEURON, MSResNet


class PFAMSResNet18(MSResNet):
    """Images (N, C, H, W), or frames (T, N, C, H, W), to logits (N, K); a still image is convolved once.

    `place`: the module multiplies the spikes before a block's second convolution ("spikes"), or the output of the
    residual branch ("branch"). `channels` has one entry per stage, `blocks` is one number or has one entry per stage.
    `inputs` is the number of channels of the image. Any sensor size works: the readout reads means over H and W.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int] = (64, 128, 256, 512),
        blocks: int | Sequence[int] = 2,
        rank: int = 8,
        composition: str = "mean",
        fusion: str = "multiply",
        kernel_over_space: int = 3,
        place: str = "spikes",
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 3,
    ) -> None:
        lif = neuron_settings(MS_NEURON, neuron)

        def gate(C: int) -> nn.Module:
            return PFA(time_steps, C, rank, composition, fusion, kernel_over_space)

        super().__init__(time_steps, classes, inputs, channels, blocks, lif, gate, place)
