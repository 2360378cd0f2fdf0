"""TCJA-SNN with TET for N-Caltech101: the plain network's convolutions with TET's neuron, and logits at the end.

Source: Zhu et al., arXiv 2206.10177, IEEE TNNLS 2024; `VGGSNN_TCJA_NCAL` of `src/tet` in `ridgerchu/TCJA` at 5f21162;
loss and neuron of Deng et al., "Temporal efficient training", ICLR 2022, arXiv 2202.11946.
Published: 14 frames of 240 x 180, 101 classes, 21,909,829 parameters, TET loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.models._config import TET_NEURON, halved, last_two, neuron_of
from eventbench.models._readout import readout
from eventbench.models._stages import he_init
from eventbench.models._stepwise import Chain
from eventbench.models._vgg import stack, tcja_gates


class TCJANCaltech101TET(Chain):
    """Frames (T, N, 2, H, W) to logits (N, K), without output neurons.

    The repository holds this network a second time, in `src/tet/caltech101.py`: without biases and with the plain
    network's neuron, `bias=False, neuron={"decay_input": True, "surrogate": "atan", "alpha": 2.0, "detach_reset":
    True}`. Both kernels of both TCJA are 4 here, unlike `tcja_ncaltech101`. Differs from the script in the two
    dropouts: there the masks are drawn once and kept for the whole training, and one of them is shared over samples
    instead of steps. Arguments as in `tcja_dvs128`.
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
        lif = neuron_of(TET_NEURON, neuron)
        gated = last_two(len(channels)) if gated is None else gated
        gate = tcja_gates(time_steps, len(gated), kernel_over_time, kernel_over_channels, branches)
        layers, width = stack(inputs, channels, pool, lif, bias=bias, gate=gate, gated=gated, place=place)
        W, H = halved(sensor, len(channels))
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            *readout(width * H * W, (hidden, classes), lif, dropout=dropout, bias=bias, spiking=False)
        )
        he_init(self)
