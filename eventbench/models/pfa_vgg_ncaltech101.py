"""PFA-SNN for N-Caltech101: the network for CIFAR10-DVS with 101 outputs, frames squashed to 48 x 48.

Source: Deng et al., Knowledge-Based Systems 295:111780, 2024, arXiv 2310.14576; `VGG_NCAL` of `CIFAR/VGG.py` in
`RisingEntropy/PFA` at 21191c0. Published: 14 frames of 240 x 180, rank 64, 101 classes, 9,824,485
parameters, MSE of the rates.
"""

from __future__ import annotations

from eventbench.models._pfa_vgg import PFAVGG


class PFAVGGNCaltech101(PFAVGG):  # noqa: D101  # PFAVGG describes it and its config
    published_rank = 64
