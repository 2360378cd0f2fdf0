"""Balanced accuracy: mean over classes of the share of a class's samples that are answered rightly; a tie is an error.

Every class has the same weight, however many samples it has; where all have as many, it is the accuracy. Definition:
Brodersen, Ong, Stephan and Buhmann, ICPR 2010, 3121-3124, for more than two classes as scikit-learn has it.
"""

from __future__ import annotations

from eventbench.metrics._answers import PredictionMetric
from eventbench.metrics.base import Figure
from eventbench.statistics.by_class import balanced_accuracy


class BalancedAccuracy(PredictionMetric):
    """`balanced_accuracy`: over the classes that have test samples, with its 95 % interval.

    The interval is made of the Wilson intervals of the classes; `statistics/by_class.py` says how. `value` raises
    BadSubmission where a score was not finite or a label has no score, `update` where the scores are not (N, K).
    """

    def value(self) -> dict[str, Figure]:
        """The figure."""
        value, low, high = balanced_accuracy(*self.labels_and_predictions("balanced_accuracy"))
        return {"": Figure(value, better="higher", low=low, high=high)}
