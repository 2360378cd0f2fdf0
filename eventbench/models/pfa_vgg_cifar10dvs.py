"""PFA-SNN for CIFAR10-DVS: a VGG of eight convolutions at 48 x 48, PFA on the frames and after every pool.

Source: Deng et al., Knowledge-Based Systems 295:111780, 2024, arXiv 2310.14576; `VGG_CIFAR` of `CIFAR/VGG.py` in
`RisingEntropy/PFA` at 21191c0. Published: 12 frames of 128 x 128, rank 8, 10 classes, 9,284,986
parameters, MSE of the rates.
"""

from __future__ import annotations

from eventbench.models._pfa_vgg import PFAVGG


class PFAVGGCIFAR10DVS(PFAVGG):  # noqa: D101  # PFAVGG describes it and its config
    published_rank = 8
