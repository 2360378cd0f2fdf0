"""PFA's VGG for resized frames: the networks for CIFAR10-DVS and N-Caltech101, which differ only in the rank.

Source: Deng et al., Knowledge-Based Systems 295:111780, 2024, arXiv 2310.14576; `CIFAR/VGG.py` in `RisingEntropy/PFA` at
21191c0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import nn

from eventbench.models._config import SPIKINGJELLY, broadcast, neuron_settings, pooled_size
from eventbench.models._readout import readout
from eventbench.models._stages import Resize
from eventbench.models._stepwise import Chain
from eventbench.models._vgg import pfa_gates, vgg_stages


class PFAVGG(Chain):
    """Frames (T, N, 2, H, W) of counts to the firing rate of each class's neuron, (N, K) in 0 to 1.

    Frames are first averaged down to `size` x `size`, which squashes those that are not square. `gated` lists the
    numbers of the stages with a PFA, from 0 (None: all); `place` is "before_pool" or "after_pool". `gated_input` adds
    a PFA on the frames themselves. `rank` is one number, or one for each PFA in order; None is the published rank.
    `neuron` overrides keyword arguments of LIF, whose defaults here are SpikingJelly's: ties fire. The published
    parameter count includes PFA's inert rank weights, R for each PFA. They do not exist here;
    `eventbench.submission.authors.counted_as_published` counts them.
    """

    published_rank: ClassVar[int]

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int | Sequence[int]] = ((64, 128), (256, 256), (512, 512), (512, 512)),
        gated: Sequence[int] | None = None,
        rank: int | Sequence[int] | None = None,
        composition: str = "mean",
        fusion: str = "multiply_relu",
        kernel_over_space: int = 3,
        place: str = "after_pool",
        gated_input: bool = True,
        pool: str = "average",
        size: int = 48,
        neuron: Mapping[str, Any] | None = None,
        inputs: int = 2,
    ) -> None:
        super().__init__()
        lif = neuron_settings(SPIKINGJELLY, neuron)
        gated = list(range(len(channels))) if gated is None else gated
        ranks = broadcast(self.published_rank if rank is None else rank, len(gated) + gated_input, "rank")
        gate = pfa_gates(time_steps, ranks, composition, fusion, kernel_over_space, gated_input=gated_input)
        on_input = [gate(-1, inputs)] if gated_input else []
        layers, width = vgg_stages(inputs, channels, pool, lif, gate=gate, gated=gated, place=place)
        W, H = pooled_size((size, size), len(channels))
        self.features = nn.Sequential(Resize(size), *on_input, *layers)
        self.head = nn.Sequential(*readout(width * H * W, (classes,), lif, bias=True))
