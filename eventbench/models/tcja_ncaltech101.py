"""TCJA-SNN for N-Caltech101: five pooled convolutions up to 512 wide, TCJA in the last two, spiking output.

Source: Zhu et al., arXiv 2206.10177, IEEE TNNLS 2024; `CextNet` of `src/caltech101.py` in `ridgerchu/TCJA` at 5f21162.
Published: 14 frames of 240 x 180, 101 classes, 21,907,096 parameters, MSE of the rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.models._config import SPIKINGJELLY, last_two_stages, neuron_settings, pooled_size
from eventbench.models._readout import readout
from eventbench.models._stepwise import Chain
from eventbench.models._vgg import tcja_gates, vgg_stages


class TCJANCaltech101(Chain):
    """Frames (T, N, 2, H, W) of counts to the firing rate of each class's neuron, (N, K) in 0 to 1.

    The second TCJA slides over channels with 2 instead of 4, as in the script (its `kernel_size_t`). The script also
    builds a voting layer but never calls it; there is none here. The arguments are as in `tcja_dvs128`.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int | Sequence[int]] = (64, 128, 256, 256, 512),
        gated: Sequence[int] | None = None,
        kernel_over_time: int | Sequence[int] = 4,
        kernel_over_channels: int | Sequence[int] = (4, 2),
        branches: str = "both",
        place: str = "before_pool",
        pool: str = "max",
        hidden: int = 1024,
        dropout: float = 0.5,
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
        self.head = nn.Sequential(*readout(width * H * W, (hidden, classes), lif, dropout=dropout))
