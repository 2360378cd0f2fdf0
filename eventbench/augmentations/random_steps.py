"""Random steps: training on some of the time steps, the same for a whole batch, in order."""

from __future__ import annotations

import torch

from eventbench.augmentations.base import Augmentation
from eventbench.errors import BadSpec


class RandomSteps(Augmentation, frozen=True, forbid_unknown_fields=True):
    """Keeps `steps` of the T frames of every sample, drawn anew for each batch; they keep their order.

    Source: `T_train` of the released code of SEW-ResNet (Fang et al., NeurIPS 2021). Training is faster and sees the
    recordings at irregular steps; validation and test have all T. So this needs a network that works for any T: one whose
    weights are made for a T, as TCJA and PFA, refuses the batch.
    """

    steps: int

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadSpec(f"steps is {self.steps!r}", where="random_steps", allowed="1 or more")

    def apply(
        self, frames: torch.Tensor, labels: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Implements `Augmentation.apply`; frames (N, T, C, H, W) become (N, steps, C, H, W), labels do not change.

        Raises BadSpec if T is less than `steps`.
        """
        T = frames.shape[1]
        if self.steps > T:
            raise BadSpec(
                f"steps is {self.steps}", where="random_steps", allowed=f"1 to {T}, the frames of a sample"
            )
        kept = torch.randperm(T, generator=generator)[: self.steps].sort().values
        return frames[:, kept.to(frames.device)], labels
