"""What metrics of answers have in common: scores and labels are checked, and predictions kept, on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from eventbench.errors import BadSubmission, EventbenchError
from eventbench.metrics.base import AnswerMetric
from eventbench.task_kinds.base import Answer
from eventbench.task_kinds.classification import predicted

if TYPE_CHECKING:
    import numpy as np


class CheckedAnswers:
    """Counts samples, and those that are wrong in themselves; nothing waits for the device before `count`."""

    def __init__(self, device: torch.device) -> None:
        self._samples = 0
        # samples with a score that is not finite, labels outside the K classes
        self._broken = torch.zeros(2, dtype=torch.int64, device=device)

    def add(self, answer: Answer, labels: torch.Tensor) -> torch.Tensor:
        """The scores (N, K) of a batch with labels (N,). Raises BadSubmission where they are not (N, K)."""
        scores, samples = answer.scores, labels.shape[0]
        if not isinstance(scores, torch.Tensor) or scores.ndim != 2 or scores.shape[0] != samples:
            returned = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
            raise BadSubmission(
                f"the model returned {returned} for {samples} samples", allowed="scores (N, K)"
            )
        outside = (labels < 0) | (labels >= scores.shape[1])
        self._broken += torch.stack([(~scores.isfinite()).any(1).sum(), outside.sum()])
        self._samples += samples
        return scores

    def count(self, where: str) -> int:
        """How many samples there were. Raises EventbenchError for none, BadSubmission for broken ones."""
        n = self._samples
        if n == 0:
            raise EventbenchError("no sample was scored", where=where)
        not_finite, unscored = self._broken.tolist()
        if not_finite:
            raise BadSubmission(
                f"the scores of {not_finite} of {n} samples are not finite",
                where=where,
                fix="look for a division by zero or an overflow in the model",
            )
        if unscored:
            raise BadSubmission(
                f"{unscored} of {n} labels are classes without a score",
                where=where,
                allowed="a score for each class of the dataset",
            )
        return n


class PredictionMetric(AnswerMetric):
    """A figure of the label and the prediction of every sample, -1 for a tie."""

    _checked: CheckedAnswers | None = None

    def start(self, device: torch.device) -> None:
        """Nothing is kept yet."""
        self._checked = CheckedAnswers(device)
        self._batches: list[torch.Tensor] = []

    def update(self, answer: Answer, labels: torch.Tensor) -> None:
        """Keep the predictions of a batch: scores (N, K) and labels (N,)."""
        assert self._checked is not None
        self._batches.append(torch.stack([labels, predicted(self._checked.add(answer, labels))]))

    def labels_and_predictions(self, where: str) -> tuple[np.ndarray, np.ndarray]:
        """Two int64 arrays (samples,). Raises as `CheckedAnswers.count` does."""
        if self._checked is None:
            raise EventbenchError("no sample was scored", where=where)
        self._checked.count(where)
        labels, predictions = torch.cat(self._batches, 1).cpu().numpy()
        return labels, predictions
