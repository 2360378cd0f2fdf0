"""Expected calibration error: how far confidence is from accuracy, in 15 bins of the softmax of the scores.

Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", arXiv 1706.04599, equation 3: the confidence of
an answer is its highest softmax; bin m holds the confidences above (m - 1)/15 up to m/15; the error is the mean over
samples of |accuracy - mean confidence| of their bin. A tie for the best score is a wrong answer, as in `accuracy`.

What it means for spiking networks: the softmax takes scores for logits, and the mean of spikes over time is none. K rates
between 0 and 1 cannot give a confidence above e / (e + K - 1), 0.23 for ten classes, so a network of rates that is nearly
always right has a large error, and is under-confident by its readout, not by its training. Scores are taken as they are, no
temperature is fitted; compare networks of one readout only, and look at `calibration_error.confidence` beside `accuracy`.

There is no interval: noise in bins of few samples makes the figure too large, and resampling adds that noise once more, so
that a bootstrap interval may lie wholly above the figure (Kumar, Liang and Ma, arXiv 1909.10155, on the bias).
"""

from __future__ import annotations

import math
from bisect import bisect_left

import torch

from eventbench.errors import EventbenchError
from eventbench.metrics._answers import CheckedAnswers
from eventbench.metrics.base import AnswerMetric, Figure
from eventbench.task_kinds.base import Answer
from eventbench.task_kinds.classification import predicted

BINS = 15
EDGES = [edge / BINS for edge in range(1, BINS)]  # between two bins; one belongs to the bin below


class CalibrationError(AnswerMetric):
    """`calibration_error`: between 0 and 1. `calibration_error.confidence`: the mean confidence.

    `value` raises BadSubmission where a score was not finite or a label has no score, `update` where the scores are not
    (N, K).
    """

    _checked: CheckedAnswers | None = None

    def start(self, device: torch.device) -> None:
        """Nothing is kept yet."""
        self._checked = CheckedAnswers(device)
        self._batches: list[torch.Tensor] = []

    def update(self, answer: Answer, labels: torch.Tensor) -> None:
        """Keep confidence and rightness of a batch: scores (N, K) and labels (N,)."""
        assert self._checked is not None
        scores = self._checked.add(answer, labels)
        confidences = scores.double().softmax(1).amax(1)
        self._batches.append(torch.stack([confidences, (predicted(scores) == labels).double()]))

    def value(self) -> dict[str, Figure]:
        """The error and the mean confidence."""
        if self._checked is None:
            raise EventbenchError("no sample was scored", where="calibration_error")
        n = self._checked.count("calibration_error")
        confidences, right = torch.cat(self._batches, 1).cpu().tolist()
        gaps: list[list[float]] = [[] for _ in range(BINS)]
        for confidence, is_right in zip(confidences, right, strict=True):
            gaps[bisect_left(EDGES, confidence)].append(is_right - confidence)
        # Of each bin, samples / n times |mean gap|. Exact sums: the order of the samples changes nothing.
        error = math.fsum(abs(math.fsum(of_bin)) for of_bin in gaps) / n
        return {
            "": Figure(error, better="lower"),
            "confidence": Figure(math.fsum(confidences) / n),
        }
