"""Top-1 accuracy, a tie for the best score being an error; the share of ties is a figure of its own."""

from __future__ import annotations

import torch

from eventbench.errors import BadSubmission, EventbenchError
from eventbench.metrics.base import AnswerMetric, Figure
from eventbench.statistics.wilson import wilson
from eventbench.task_kinds.base import Answer
from eventbench.task_kinds.classification import TIED, predicted


class Accuracy(AnswerMetric):
    """`accuracy`: share of samples whose label has the one best score, with its Wilson 95 % interval.

    `accuracy.ties`: share of samples whose best score is shared by two classes or more; each is an error.

    Everything is counted on the device and read once, in `value`, which raises BadSubmission where a score was
    not finite or a label has no score. `update` raises it where the scores are not (N, K).
    """

    def start(self, device: torch.device) -> None:
        """Counts at 0."""
        self._samples = 0
        # right, tied, samples with a score that is not finite, labels outside the K classes
        self._counts = torch.zeros(4, dtype=torch.int64, device=device)

    def update(self, answer: Answer, labels: torch.Tensor) -> None:
        """Count a batch."""
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
        right, tied, broken, unscored = self._counts.tolist()
        if broken:
            raise BadSubmission(
                f"the scores of {broken} of {n} samples are not finite",
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
