"""TCJA-SNN with TET for N-Caltech101: the convolutions of `tcja_ncaltech101` with TET's neuron, and logits at the end.

Source: Zhu et al., arXiv 2206.10177, IEEE TNNLS 2024; `VGGSNN_TCJA_NCAL` of `src/tet` in `ridgerchu/TCJA` at 5f21162;
loss and neuron of Deng et al., "Temporal efficient training", ICLR 2022, arXiv 2202.11946.
Published: 14 frames of 240 x 180, 101 classes, 21,909,829 parameters, TET loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.models._config import TET_NEURON, last_two_stages, neuron_settings, pooled_size
from eventbench.models._readout import readout
from eventbench.models._stages import he_init
from eventbench.models._stepwise import Chain
from eventbench.models._vgg import tcja_gates, vgg_stages


class TCJANCaltech101TET(Chain):
    """Frames (T, N, 2, H, W) to logits (N, K), without output neurons.

    The repository has a second version of this network, in `src/tet/caltech101.py`: without biases and with the neuron
    of the network without TET, `bias=False, neuron={"decay_input": True, "surrogate": "atan", "alpha": 2.0,
    "detach_reset": True, "fires_at": "at_or_above"}`. Both kernels of both TCJA are 4 here, unlike in
    `tcja_ncaltech101`. Differs from the script in the two dropouts: there, the masks are drawn once for the whole
    training, and one of them is shared over samples instead of steps. The arguments are as in `tcja_dvs128`.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int | Sequence[int]] = (64, 128, 256, 256, 512),
        gated: Sequence[int] | None = None,
        kernel_over_time: int | Sequence[int] = 4,
        kernel_over_channels: int | Sequence[int] = 4,
        branches: str = "both",
        place: str = "before_pool",
        pool: str = "max",
        hidden: int = 1024,
        dropout: float = 0.5,
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 2,
        bias: bool = True,
    ) -> None:
        super().__init__()
        lif = neuron_settings(TET_NEURON, neuron)
        gated = last_two_stages(len(channels)) if gated is None else gated
        gate = tcja_gates(time_steps, len(gated), kernel_over_time, kernel_over_channels, branches)
        layers, width = vgg_stages(
            inputs, channels, pool, lif, bias=bias, gate=gate, gated=gated, place=place
        )
        W, H = pooled_size(sensor, len(channels))
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            *readout(width * H * W, (hidden, classes), lif, dropout=dropout, bias=bias, spiking=False)
        )
        he_init(self)
