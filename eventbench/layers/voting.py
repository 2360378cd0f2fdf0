"""Voting: the mean over groups of neighbouring output neurons, one group for each class.

TCJA-SNN's DVS128 Gesture network ends in 110 neurons that vote for 11 classes, 10 neighbouring neurons each
(Zhu et al., arXiv 2206.10177). The authors' `VotingLayer` is an average pool of that width; its N-Caltech101
network builds one and never uses it. PFA's gesture network has 110 outputs and no voting.
"""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers.arguments import require_count, require_floating


class Voting(nn.Module):
    """(..., K · group) -> (..., K): the mean of each `group` consecutive scores, without overlap.

    Raises BadSpec when the last axis is not a multiple of `group`.
    """

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = require_count(group, "group", "Voting")

    def forward(self, scores: torch.Tensor) -> torch.Tensor:
        """The votes (..., K)."""
        require_floating(scores, "Voting")
        if scores.ndim == 0 or scores.shape[-1] == 0 or scores.shape[-1] % self.group:
            raise BadSpec(
                f"the last axis of {tuple(scores.shape)} is not a multiple of group={self.group}",
                where="Voting",
                allowed="(..., K * group)",
            )
        return torch.unflatten(scores, -1, (-1, self.group)).mean(-1)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"group={self.group}"
