"""PFA's VGG for squashed frames, which the networks for CIFAR10-DVS and N-Caltech101 are: they differ in the rank.

Source: Deng et al., Knowledge-Based Systems 295:111780, 2024, arXiv 2310.14576; `CIFAR/VGG.py` in `RisingEntropy/PFA` at
21191c0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import nn

from eventbench.models._config import each, halved, neuron_of
from eventbench.models._readout import readout
from eventbench.models._stages import Resize
from eventbench.models._stepwise import Chain
from eventbench.models._vgg import pfa_gates, stack


class PFAVGG(Chain):
    """Frames (T, N, 2, H, W) of counts to the rate of each class's neuron, (N, K) in 0 to 1.

    Frames are averaged down to `size` x `size` first, which squashes those that are not square. `gated` numbers the
    stages with a PFA behind their pool (`place`), from 0, None gates all; `gated_input` puts one on the frames
    themselves. `rank` is one number, or one for each PFA in order; None is the published one. `neuron` changes keyword
    arguments of LIF. The published count of parameters has PFA's inert rank weights in it, R for each PFA, which do not
    exist here: `eventbench.submission.authors.counted_as_published` counts them.
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
        lif = neuron_of({}, neuron)
        gated = list(range(len(channels))) if gated is None else gated
        ranks = each(self.published_rank if rank is None else rank, len(gated) + gated_input, "rank")
        gate = pfa_gates(time_steps, ranks, composition, fusion, kernel_over_space, gated_input=gated_input)
        on_input = [gate(-1, inputs)] if gated_input else []
        layers, width = stack(inputs, channels, pool, lif, gate=gate, gated=gated, place=place)
        W, H = halved((size, size), len(channels))
        self.features = nn.Sequential(Resize(size), *on_input, *layers)
        self.head = nn.Sequential(*readout(width * H * W, (classes,), lif, bias=True))
