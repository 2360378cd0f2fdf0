"""Top-1 accuracy and the share of ties; a tie for the best score counts as an error."""

from __future__ import annotations

import torch

from eventbench.errors import BadSubmission, EventbenchError
from eventbench.metrics.base import AnswerMetric, Figure
from eventbench.statistics.wilson import wilson
from eventbench.task_kinds.base import Answer
from eventbench.task_kinds.classification import TIED, predicted


class Accuracy(AnswerMetric):
    """`accuracy`: share of samples whose label alone has the best score, with its Wilson 95 % interval.

    `accuracy.ties`: share of samples whose best score is shared by two classes or more; each counts as an error.

    Counts stay on the device until `value`, which raises BadSubmission where a score was not finite or a label has no
    score. `update` raises it where the scores are not (N, K).
    """

    def start(self, device: torch.device) -> None:
        """Set the counts to 0."""
        self._samples = 0
        # right, tied, samples with a score that is not finite, labels outside the K classes
        self._counts = torch.zeros(4, dtype=torch.int64, device=device)

    def update(self, answer: Answer, labels: torch.Tensor) -> None:
        """Add the counts of a batch: scores (N, K) and labels (N,)."""
        scores, samples = answer.scores, labels.shape[0]
        if not isinstance(scores, torch.Tensor) or scores.ndim != 2 or scores.shape[0] != samples:
            returned = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
            raise BadSubmission(
                f"the model returned {returned} for {samples} samples", allowed="scores (N, K)"
            )
        classes = predicted(scores)
        self._counts += torch.stack(
            [
                (classes == labels).sum(),
                (classes == TIED).sum(),
                (~scores.isfinite()).any(1).sum(),
                ((labels < 0) | (labels >= scores.shape[1])).sum(),
            ]
        )
        self._samples += samples

    def value(self) -> dict[str, Figure]:
        """Accuracy and share of ties."""
        n = getattr(self, "_samples", 0)
        if n == 0:
            raise EventbenchError("no sample was scored", where="accuracy")
        right, tied, not_finite, unscored = self._counts.tolist()
        if not_finite:
            raise BadSubmission(
                f"the scores of {not_finite} of {n} samples are not finite",
                where="accuracy",
                fix="look for a division by zero or an overflow in the model",
            )
        if unscored:
            raise BadSubmission(
                f"{unscored} of {n} labels are classes without a score",
                where="accuracy",
                allowed="a score for each class of the dataset",
            )
        low, high = wilson(right, n)
        return {
            "": Figure(right / n, better="higher", low=low, high=high),
            "ties": Figure(tied / n, better="neither"),
        }
