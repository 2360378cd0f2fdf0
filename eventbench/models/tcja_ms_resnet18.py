"""MS-ResNet-18 with a TCJA in every block, for still images repeated over T.

Source: Zhu et al., arXiv 2206.10177, IEEE TNNLS 2024, report it for CIFAR-10 and CIFAR-100;
no code was released for it. T=4, the kernels and the place of the module are our unconfirmed reading.
The backbone is that of Hu et al., arXiv 2112.08954, with the 3 x 3 stem and strides usual for 32 x 32 images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.layers import TCJA
from eventbench.models._config import neuron_settings
from eventbench.models._ms_resnet import MS_NEURON, MSResNet


class TCJAMSResNet18(MSResNet):
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
        kernel_over_time: int = 4,
        kernel_over_channels: int = 4,
        branches: str = "both",
        place: str = "spikes",
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 3,
    ) -> None:
        lif = neuron_settings(MS_NEURON, neuron)

        def gate(C: int) -> nn.Module:
            return TCJA(time_steps, C, kernel_over_time, kernel_over_channels, branches)

        super().__init__(time_steps, classes, inputs, channels, blocks, lif, gate, place)
