"""PFA-SNN for Fashion-MNIST: a convolution of the still image, repeated over T, and an additive PFA in the second stage.

Source: Deng et al., Knowledge-Based Systems 295:111780, 2024, arXiv 2310.14576; `CupyNet` of `FMNIST/run.py` in
`RisingEntropy/PFA` at 21191c0. Published: 28 x 28, T=4, rank 4, 10 classes, 13,015,340 parameters, MSE of the rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.layers import LIF, PFA
from eventbench.models._config import SPIKINGJELLY, broadcast, neuron_settings, pooled_size
from eventbench.models._readout import readout
from eventbench.models._stages import Halve, Normed, StaticStem
from eventbench.models._stepwise import Chain


class PFAFMNIST(Chain):
    """Images (N, C, H, W), or frames (T, N, C, H, W), to the firing rate of each class's neuron, (N, K) in 0 to 1.

    The PFA is between the second batch norm and its neurons and adds: relu(x + M), with M the plain sum over ranks. As
    in the script, the neuron fires at ties, its reset is not detached and dropout draws a mask for each step
    (`shared_mask=True` draws one for all). `channels` are those of the two convolutions, `inputs` the number of
    channels of the image.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int] = (128, 128),
        rank: int = 4,
        composition: str = "sum",
        fusion: str = "add_relu",
        kernel_over_space: int = 3,
        pool: str = "max",
        hidden: int = 2048,
        dropout: float = 0.7,
        shared_mask: bool = False,
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 1,
    ) -> None:
        super().__init__()
        lif = neuron_settings({**SPIKINGJELLY, "detach_reset": False}, neuron)
        first, second = broadcast(channels, 2, "channels")
        W, H = pooled_size(sensor, 2)
        self.features = nn.Sequential(
            StaticStem(time_steps, inputs, first),
            LIF(**lif),
            Halve(pool),
            Normed(first, second),
            PFA(time_steps, second, rank, composition, fusion, kernel_over_space),
            LIF(**lif),
            Halve(pool),
        )
        self.head = nn.Sequential(
            *readout(second * H * W, (hidden, classes), lif, dropout=dropout, shared_mask=shared_mask)
        )
