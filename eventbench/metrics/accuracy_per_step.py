"""Accuracy after each time step: that of the model if it were stopped there.

After step t the scores are the mean over steps 1 to t, the usual readout of a network that may be stopped at any time;
after the last step they are those that `forward` returned. A tie for the best score is an error, as in `accuracy`.
"""

from __future__ import annotations

import torch

from eventbench.errors import BadSubmission, EventbenchError
from eventbench.metrics.base import AnswerMetric, Figure
from eventbench.statistics.wilson import wilson
from eventbench.task_kinds.base import Answer
from eventbench.task_kinds.classification import predicted


class AccuracyPerStep(AnswerMetric):
    """`accuracy_per_step.step_01` to `.step_<T>`: the accuracy after that step, with its Wilson 95 % interval.

    Steps are numbered with as many digits as T has, two at least. The figure of the last step is `accuracy`. For a model
    without `scores_per_step` the figures do not exist and `value` is empty.

    Raises BadSubmission in `update` where batches differ in T, in `value` where a score was not finite.
    """

    needs_steps = True

    def start(self, device: torch.device) -> None:
        """Set the counts to 0; those of each step are made at the first batch, when T is known."""
        self._samples = 0
        self._right: torch.Tensor | None = None
        self._not_finite = torch.zeros((), dtype=torch.int64, device=device)

    def update(self, answer: Answer, labels: torch.Tensor) -> None:
        """Count the right answers of a batch after each step."""
        self._samples += labels.shape[0]
        if answer.per_step is None:
            return
        # In float64, so that sums over many steps tie only where the scores do, not by rounding.
        scores = answer.per_step.double().cumsum(0)
        scores[-1] = answer.scores
        right = (predicted(scores) == labels).sum(1)
        if self._right is None:
            self._right = torch.zeros_like(right)
        if self._right.shape != right.shape:
            raise BadSubmission(
                f"a batch has scores of {len(right)} steps, an earlier one had {len(self._right)}",
                where="accuracy_per_step",
                allowed="the same number for every batch",
            )
        self._right += right
        self._not_finite += (~scores.isfinite()).any(2).any(0).sum()

    def value(self) -> dict[str, Figure]:
        """A figure for each step."""
        n = getattr(self, "_samples", 0)
        if n == 0:
            raise EventbenchError("no sample was scored", where="accuracy_per_step")
        if self._right is None:
            return {}
        if not_finite := int(self._not_finite):
            raise BadSubmission(
                f"the scores per step of {not_finite} of {n} samples are not finite",
                where="accuracy_per_step",
            )
        counts = self._right.tolist()
        digits = max(2, len(str(len(counts))))
        figures = {}
        for step, right in enumerate(counts, start=1):
            low, high = wilson(right, n)
            figures[f"step_{step:0{digits}}"] = Figure(right / n, better="higher", low=low, high=high)
        return figures
