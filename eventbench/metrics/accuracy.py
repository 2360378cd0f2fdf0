"""Top-1 accuracy and the share of ties; a tie for the best score counts as an error."""

from __future__ import annotations

import torch

from eventbench.errors import EventbenchError
from eventbench.metrics._answers import CheckedAnswers
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

    _checked: CheckedAnswers | None = None

    def start(self, device: torch.device) -> None:
        """Set the counts to 0."""
        self._checked = CheckedAnswers(device)
        self._counts = torch.zeros(2, dtype=torch.int64, device=device)  # right, tied

    def update(self, answer: Answer, labels: torch.Tensor) -> None:
        """Add the counts of a batch: scores (N, K) and labels (N,)."""
        assert self._checked is not None
        classes = predicted(self._checked.add(answer, labels))
        self._counts += torch.stack([(classes == labels).sum(), (classes == TIED).sum()])

    def value(self) -> dict[str, Figure]:
        """Accuracy and share of ties."""
        if self._checked is None:
            raise EventbenchError("no sample was scored", where="accuracy")
        n = self._checked.count("accuracy")
        right, tied = self._counts.tolist()
        low, high = wilson(right, n)
        return {
            "": Figure(right / n, better="higher", low=low, high=high),
            "ties": Figure(tied / n, better="neither"),
        }
