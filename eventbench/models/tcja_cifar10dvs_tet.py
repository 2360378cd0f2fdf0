"""TCJA-SNN with TET for CIFAR10-DVS: a VGG of eight convolutions at 48 x 48, one TCJA before the first pool.

Source: Zhu et al., arXiv 2206.10177, IEEE TNNLS 2024; `VGGSNN_TCJA` of `src/tet` in `ridgerchu/TCJA` at 5f21162; the
network and loss are those of Deng et al., "Temporal efficient training", ICLR 2022, arXiv 2202.11946.
Published: 10 frames of 48 x 48 in 0 to 1, 10 classes, 9,304,466 parameters, TET loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.models._config import TET_NEURON, neuron_settings, pooled_size
from eventbench.models._readout import readout
from eventbench.models._stages import he_init
from eventbench.models._stepwise import Chain
from eventbench.models._vgg import tcja_gates, vgg_stages


class TCJACIFAR10DVSTET(Chain):
    """Frames (T, N, 2, H, W) to logits (N, K), without output neurons; 48 x 48 frames give the published sizes.

    The neuron is TET's: m = m/2 + x, a strict threshold, the gradient through the reset, a triangle surrogate.
    The arguments are as in `tcja_dvs128`.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int | Sequence[int]] = ((64, 128), (256, 256), (512, 512), (512, 512)),
        gated: Sequence[int] | None = None,
        kernel_over_time: int | Sequence[int] = 2,
        kernel_over_channels: int | Sequence[int] = 2,
        branches: str = "both",
        place: str = "before_pool",
        pool: str = "average",
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 2,
    ) -> None:
        super().__init__()
        lif = neuron_settings(TET_NEURON, neuron)
        gated = [0] if gated is None else gated
        gate = tcja_gates(time_steps, len(gated), kernel_over_time, kernel_over_channels, branches)
        layers, width = vgg_stages(
            inputs, channels, pool, lif, bias=True, gate=gate, gated=gated, place=place
        )
        W, H = pooled_size(sensor, len(channels))
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(*readout(width * H * W, (classes,), lif, bias=True, spiking=False))
        he_init(self)
