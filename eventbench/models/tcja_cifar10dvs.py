"""TCJA-SNN for CIFAR10-DVS: a VGG of eight convolutions at 48 x 48, TCJA in the last two stages.

Source: Zhu et al., arXiv 2206.10177, IEEE TNNLS 2024; `VGGNet_2` of `src/cifar10dvs.py` in `ridgerchu/TCJA` at 5f21162.
Published: 10 frames of 128 x 128, 10 classes, 11,369,450 parameters, cross-entropy of the mean or of each step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.models._config import SPIKINGJELLY, last_two_stages, neuron_settings, pooled_size
from eventbench.models._readout import readout
from eventbench.models._stages import Resize
from eventbench.models._stepwise import Chain
from eventbench.models._vgg import tcja_gates, vgg_stages


class TCJACIFAR10DVS(Chain):
    """Frames (T, N, 2, H, W) of counts to logits (N, K), without output neurons.

    Frames are first averaged down to `size` x `size`. `gated`, `place` and the kernels are as in `tcja_dvs128`. The
    neuron's surrogate is the triangle, as in the script; `neuron` overrides keyword arguments of LIF.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int | Sequence[int]] = ((64, 128), (256, 256), (512, 512), (512, 512)),
        gated: Sequence[int] | None = None,
        kernel_over_time: int | Sequence[int] = 4,
        kernel_over_channels: int | Sequence[int] = 4,
        branches: str = "both",
        place: str = "before_pool",
        pool: str = "average",
        size: int = 48,
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 2,
    ) -> None:
        super().__init__()
        lif = neuron_settings({**SPIKINGJELLY, "surrogate": "triangle", "alpha": 1.0}, neuron)
        gated = last_two_stages(len(channels)) if gated is None else gated
        gate = tcja_gates(time_steps, len(gated), kernel_over_time, kernel_over_channels, branches)
        layers, width = vgg_stages(
            inputs, channels, pool, lif, bias=True, gate=gate, gated=gated, place=place
        )
        W, H = pooled_size((size, size), len(channels))
        self.features = nn.Sequential(Resize(size), *layers)
        self.head = nn.Sequential(*readout(width * H * W, (classes,), lif, bias=True, spiking=False))
