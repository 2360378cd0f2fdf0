"""`Augmentation`: a random change of a batch of training frames and its labels. Evaluation never sees one."""

from __future__ import annotations

from abc import abstractmethod

import msgspec
import torch


class Augmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A random change of frames. Its fields are its parameters.

    Changes of events, before they are binned, are the `random` members of steps/ instead.
    """

    @abstractmethod
    def apply(
        self, frames: torch.Tensor, labels: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """New (frames, labels); the arguments are not written to.

        frames (N, T, C, H, W) keep their type and device; labels float32 (N, classes), each row a distribution (one-hot
        unless samples were mixed). `generator` is on the CPU, so that it draws alike for every device.
        """
