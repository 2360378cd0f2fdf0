"""`Augmentation`, the base class of the family: a random change of training frames and labels; not used in evaluation."""

from __future__ import annotations

from abc import abstractmethod

import msgspec
import torch


class Augmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A random change of frames. Its fields are its parameters.

    Random changes of events before binning are the `random` members of `steps`.
    """

    @abstractmethod
    def apply(
        self, frames: torch.Tensor, labels: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """New (frames, labels); the arguments are not changed.

        frames (N, T, C, H, W) keep their type and device; labels float32 (N, classes), each row a distribution (one-hot
        unless samples were mixed). `generator` is on the CPU, so that the numbers are the same for every device.
        """
