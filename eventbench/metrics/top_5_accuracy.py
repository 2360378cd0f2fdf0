"""Top-5 accuracy: share of samples whose label is among the five best scores, however ties are broken.

As in Russakovsky et al., arXiv 1409.0575, section 4.1, with a tie counted as an error as in `accuracy`: an answer is right
where at most four other classes score as high as the label or higher. Of five classes it is 1 by definition.
"""

from __future__ import annotations

import torch

from eventbench.errors import EventbenchError, NotCounted
from eventbench.metrics._answers import CheckedAnswers
from eventbench.metrics.base import AnswerMetric, Figure
from eventbench.statistics.wilson import wilson
from eventbench.task_kinds.base import Answer

BEST = 5


class Top5Accuracy(AnswerMetric):
    """`top_5_accuracy`: with its Wilson 95 % interval; not counted for fewer than five classes.

    `value` raises BadSubmission where a score was not finite or a label has no score, `update` where the scores are not
    (N, K).
    """

    _checked: CheckedAnswers | None = None

    def start(self, device: torch.device) -> None:
        """Set the counts to 0."""
        self._checked = CheckedAnswers(device)
        self._classes = 0
        self._right = torch.zeros((), dtype=torch.int64, device=device)

    def update(self, answer: Answer, labels: torch.Tensor) -> None:
        """Add the right answers of a batch: scores (N, K) and labels (N,)."""
        assert self._checked is not None
        scores = self._checked.add(answer, labels)
        self._classes = scores.shape[1]
        # A label without a score is refused in `value`; until then any class stands in its place.
        labels_inside = labels.clamp(0, max(0, self._classes - 1))
        of_label = scores.gather(1, labels_inside[:, None])
        self._right += ((scores >= of_label).sum(1) <= BEST).sum()  # the label itself is one of them

    def value(self) -> dict[str, Figure]:
        """The share."""
        if self._checked is None:
            raise EventbenchError("no sample was scored", where="top_5_accuracy")
        n = self._checked.count("top_5_accuracy")
        if self._classes < BEST:
            raise NotCounted(f"there are {self._classes} classes", allowed=f"{BEST} or more")
        right = int(self._right)
        low, high = wilson(right, n)
        return {"": Figure(right / n, better="higher", low=low, high=high)}
