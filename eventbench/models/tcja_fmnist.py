"""TCJA-SNN for Fashion-MNIST: a convolution of the still image, repeated over T, and two spiking stages.

Source: Zhu et al., arXiv 2206.10177, IEEE TNNLS 2024, in part: no code was released for it. The network is that of
SpikingJelly's Fashion-MNIST example, which the paper cites. T=8, the place of the TCJA, its kernels, the neuron (that of
the paper's other networks) and the dropout are our unconfirmed reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.layers import LIF, TCJA
from eventbench.models._config import SPIKINGJELLY, broadcast, neuron_settings, pooled_size
from eventbench.models._readout import readout
from eventbench.models._stages import Halve, Normed, StaticStem
from eventbench.models._stepwise import Chain


class TCJAFMNIST(Chain):
    """Images (N, C, H, W), or frames (T, N, C, H, W), to the firing rate of each class's neuron, (N, K) in 0 to 1.

    `pool` is the kind of the pool after each of the two spiking stages; the TCJA is before the second pool. `channels` are those
    of the two convolutions, `inputs` the number of channels of the image.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int] = (128, 128),
        kernel_over_time: int = 4,
        kernel_over_channels: int = 4,
        branches: str = "both",
        pool: str = "max",
        hidden: int = 2048,
        dropout: float = 0.0,
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 1,
    ) -> None:
        super().__init__()
        lif = neuron_settings(SPIKINGJELLY, neuron)
        first, second = broadcast(channels, 2, "channels")
        W, H = pooled_size(sensor, 2)
        self.features = nn.Sequential(
            StaticStem(time_steps, inputs, first),
            LIF(**lif),
            Halve(pool),
            Normed(first, second),
            LIF(**lif),
            TCJA(time_steps, second, kernel_over_time, kernel_over_channels, branches),
            Halve(pool),
        )
        self.head = nn.Sequential(*readout(second * H * W, (hidden, classes), lif, dropout=dropout))
