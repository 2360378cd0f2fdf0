"""PFA-SNN for N-Caltech101: the network for CIFAR10-DVS with 101 outputs, frames squashed to 48 x 48.

Source: Deng et al., Knowledge-Based Systems 295:111780, 2024, arXiv 2310.14576; `VGG_NCAL` of `CIFAR/VGG.py` in
`RisingEntropy/PFA` at 21191c0. Published: 14 frames of 240 x 180, rank 64, 101 classes, 9,824,485
parameters, MSE of the rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventbench.layers import PFA
from eventbench.models._blocks import Chain, Resize, each, halved, neuron_of, readout
from eventbench.models._vgg import stack


class PFAVGGNCaltech101(Chain):
    """Frames (T, N, 2, H, W) of counts to the rate of each class's neuron, (N, K) in 0 to 1.

    Frames are averaged down to `size` x `size` first, so 240 x 180 is squashed. `gated` numbers the stages with a PFA behind their pool
    (`place`), from 0; `gated_input` puts one on the frames themselves. `rank` is one number, or one for each PFA in
    order. `neuron` changes keyword arguments of LIF. The published count has PFA's inert rank weights in it, R for each
    PFA, which do not exist here: `eventbench.submission.authors.counted_as_published` counts them.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int | Sequence[int]] = ((64, 128), (256, 256), (512, 512), (512, 512)),
        gated: Sequence[int] | None = None,
        rank: int | Sequence[int] = 64,
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
        lif = neuron_of({}, neuron)
        gated = list(range(len(channels))) if gated is None else gated
        ranks = each(rank, len(gated) + gated_input, "rank")

        def gate(number: int, C: int) -> nn.Module:
            return PFA(time_steps, C, ranks[number + gated_input], composition, fusion, kernel_over_space)

        first = [gate(-1, inputs)] if gated_input else []
        layers, width = stack(inputs, channels, pool, lif, gate=gate, gated=gated, place=place)
        W, H = halved((size, size), len(channels))
        self.features = nn.Sequential(Resize(size), *first, *layers)
        self.head = nn.Sequential(*readout(width * H * W, (classes,), lif, bias=True))
