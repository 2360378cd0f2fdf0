"""PLIF network for DVS128 Gesture: five pooled convolutions and two linear layers, each layer's time constant learned.

Source: Fang et al., "Incorporating learnable membrane time constant to enhance learning of spiking neural networks",
ICCV 2021, arXiv 2007.05785; `DVS128GestureNet` of the released `codes/models.py`. Published: 20 frames of 128 x 128,
11 classes, MSE of the voted rates. `tcja_dvs128` is this network with a fixed time constant and TCJA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.layers import Voting
from eventbench.models._config import SPIKINGJELLY, neuron_settings, pooled_size
from eventbench.models._readout import readout
from eventbench.models._stepwise import Chain
from eventbench.models._vgg import vgg_stages


class PLIFNet(Chain):
    """Frames (T, N, 2, H, W) of counts to the firing rate of each class's voters, (N, K) in 0 to 1.

    `neuron` overrides keyword arguments of LIF: {"learn_tau": False} is the paper's comparison, {"tau": 16.0} its other
    initial value. `hidden` is the width of the first linear layer; None is a quarter of its input, as published.
    `norm_each_step` takes the statistics of batch norms from each step of a training batch alone, as the released code
    does, which calls the network step by step; False takes them from all steps, as the other networks here do. Differs
    from the released code in returning the mean over T, where that returns the sum and its script divides by T.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int | Sequence[int]] = (128, 128, 128, 128, 128),
        pool: str = "max",
        hidden: int | None = None,
        dropout: float = 0.5,
        voters: int = 10,
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 2,
        norm_each_step: bool = True,
    ) -> None:
        super().__init__()
        lif = neuron_settings({**SPIKINGJELLY, "learn_tau": True}, neuron)
        layers, width = vgg_stages(inputs, channels, pool, lif, norm_each_step=norm_each_step)
        W, H = pooled_size(sensor, len(channels))
        features = width * H * W
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            *readout(
                features,
                (max(1, features // 4) if hidden is None else hidden, classes * voters),
                lif,
                dropout=dropout,
            ),
            Voting(voters),
        )
