"""TCJA-SNN for DVS128 Gesture: five pooled convolutions, TCJA in the last two, ten neurons voting for a class.

Source: Zhu et al., arXiv 2206.10177, IEEE TNNLS 2024; `CextNet` of `src/dvs128.py` in `ridgerchu/TCJA` at 5f21162.
Published: 20 frames of 128 x 128, 11 classes, 1,832,576 parameters, MSE of the voted rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.layers import Voting
from eventbench.models._config import SPIKINGJELLY, last_two_stages, neuron_settings, pooled_size
from eventbench.models._readout import readout
from eventbench.models._stepwise import Chain
from eventbench.models._vgg import tcja_gates, vgg_stages


class TCJADVS128(Chain):
    """Frames (T, N, 2, H, W) of counts to the firing rate of each class's voters, (N, K) in 0 to 1.

    `gated` lists the numbers of the stages with a TCJA, from 0; `place` is "before_pool" or "after_pool".
    `kernel_over_time` and `kernel_over_channels` are one number, or one for each TCJA. `hidden` is the width of the
    first linear layer, `voters` the number of neurons per class. `neuron` overrides keyword arguments of LIF, whose
    defaults here are SpikingJelly's: ties fire. Differs from the authors' code in that T and the channels of TCJA follow
    the arguments; there they are the literals 20 and 128.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int | Sequence[int]] = (128, 128, 128, 128, 128),
        gated: Sequence[int] | None = None,
        kernel_over_time: int | Sequence[int] = 4,
        kernel_over_channels: int | Sequence[int] = 4,
        branches: str = "both",
        place: str = "before_pool",
        pool: str = "max",
        hidden: int = 512,
        dropout: float = 0.5,
        voters: int = 10,
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 2,
    ) -> None:
        super().__init__()
        lif = neuron_settings(SPIKINGJELLY, neuron)
        gated = last_two_stages(len(channels)) if gated is None else gated
        gate = tcja_gates(time_steps, len(gated), kernel_over_time, kernel_over_channels, branches)
        layers, width = vgg_stages(inputs, channels, pool, lif, gate=gate, gated=gated, place=place)
        W, H = pooled_size(sensor, len(channels))
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            *readout(width * H * W, (hidden, classes * voters), lif, dropout=dropout), Voting(voters)
        )
