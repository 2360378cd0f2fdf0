"""Macro F1: mean over classes of the harmonic mean of precision and recall.

Of a class with p right answers, n samples and m predictions, F1 is 2p / (n + m): van Rijsbergen, Information Retrieval, 2nd
edition (1979), ch. 7. The mean is of the classes' F1, not F1 of mean precision and recall; the two differ: Opitz and Burst,
arXiv 1911.03347. A tie for the best score predicts no class, so it is missed by its own and counts against no other.
"""

from __future__ import annotations

from eventbench.metrics._answers import PredictionMetric
from eventbench.metrics.base import Figure
from eventbench.statistics.by_class import macro_f1, macro_f1_interval


class MacroF1(PredictionMetric):
    """`macro_f1`: over the classes that have test samples, with a 95 % interval from the bootstrap within classes.

    Where no resample differs, as where every answer is right, the bootstrap knows nothing and there is no interval. `value`
    raises BadSubmission where a score was not finite or a label has no score, `update` where the scores are not (N, K).
    """

    def value(self) -> dict[str, Figure]:
        """The figure."""
        labels, predictions = self.labels_and_predictions("macro_f1")
        low, high = macro_f1_interval(labels, predictions) or (None, None)
        return {"": Figure(macro_f1(labels, predictions), better="higher", low=low, high=high)}
