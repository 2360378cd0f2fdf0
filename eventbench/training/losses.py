"""Losses of a training step: cross-entropy, squared error of rates, and two over the scores of every time step.

Scores are (N, K), scores per step (T, N, K); targets are class numbers int64 (N,), or float (N, K) with a distribution in each
row, from augmentations that mix samples. Every loss is a mean over the samples.
"""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy, mse_loss, one_hot

LOSSES = ("ce", "rate_mse", "per_step_ce", "tet")
PER_STEP = ("per_step_ce", "tet")  # these need a model that offers scores_per_step


def rate_mse(rates: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Squared error of firing rates (N, K) against the one-hot target, mean over N x K (TCJA-SNN, PFA-SNN)."""
    if target.ndim == 1:
        target = one_hot(target, rates.shape[1])
    return mse_loss(rates, target.to(rates.dtype))


def per_step_ce(scores: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of every step's scores (T, N, K), mean over T and N."""
    steps = target.expand(len(scores), *target.shape).flatten(0, 1)
    return cross_entropy(scores.flatten(0, 1), steps)


def tet(scores: torch.Tensor, target: torch.Tensor, lamb: float = 1e-3, means: float = 1.0) -> torch.Tensor:
    """(1 - lamb) per_step_ce + lamb mean((scores - means)^2) (Deng, Li, Zhang, Gu: Temporal Efficient Training, ICLR 2022).

    The defaults are those of TCJA-SNN's TET networks.
    """
    return (1 - lamb) * per_step_ce(scores, target) + lamb * mse_loss(scores, torch.full_like(scores, means))


def loss_of(
    name: str, scores: torch.Tensor, target: torch.Tensor, label_smoothing: float = 0.0
) -> torch.Tensor:
    """The loss `name` of scores (N, K), or of (T, N, K) for those in PER_STEP. Only "ce" has `label_smoothing`."""
    if name == "ce":
        return cross_entropy(scores, target, label_smoothing=label_smoothing)
    return {"rate_mse": rate_mse, "per_step_ce": per_step_ce, "tet": tet}[name](scores, target)
