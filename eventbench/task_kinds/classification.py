"""Classification: one of K classes for each sample, scored by top-1 accuracy; a tie for the best score is an error.

Networks that count spikes over few time steps tie often, and `argmax` then picks the lowest class index, which is right
more often than chance where classes come in order. So a tie is predicted as -1, which is no class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from eventbench.errors import BadSubmission
from eventbench.statistics.by_class import balanced_accuracy, macro_f1
from eventbench.statistics.paired import difference_in_units, mcnemar_exact, paired_bootstrap, sign_flip
from eventbench.statistics.wilson import wilson
from eventbench.task_kinds import _predictions as predictions
from eventbench.task_kinds._predictions import TIED, Predictions
from eventbench.task_kinds.base import Answer, Difference, Evidence, Pooled, Recomputed, TaskKind

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["TIED", "Classification", "Predictions", "predicted"]

# How far the mean of the scores of each step may differ from the scores, relative to the largest score: enough for float32
# sums in another order.
ROUNDING = 1e-3

# Metrics whose figures are all between 0 and 1, shown in percent.
SHARES = frozenset(
    (
        "accuracy",
        "accuracy_per_step",
        "balanced_accuracy",
        "calibration_error",
        "macro_f1",
        "top_5_accuracy",
    )
)


def predicted(scores: torch.Tensor) -> torch.Tensor:
    """Scores (..., K) -> (...) int64: the class with the best score, or `TIED` (-1) where several share it."""
    best = scores.amax(-1, keepdim=True)
    return scores.argmax(-1).masked_fill((scores == best).sum(-1) > 1, TIED)


class Classification(TaskKind):
    """Scores (N, K), float: one for each class, of which the highest is the prediction.

    Evidence is the predicted class index of each sample, -1 for a tie, in `<record>.predictions.csv`.
    """

    main_figure: ClassVar[str] = "accuracy"
    selected_by: ClassVar[str] = "accuracy"
    evidence_ending: ClassVar[str] = "predictions.csv"
    interval_note: ClassVar[str] = (
        "Intervals of the accuracy are 95 % Wilson intervals of the mean over runs on the test samples"
    )
    paired_test: ClassVar[str] = "exact paired sign-flip test"
    interval_of_difference: ClassVar[str] = "paired bootstrap"
    compared_columns: ClassVar[dict[str, str]] = {
        "only_a": "only A right",
        "only_b": "only B right",
        "p": "McNemar p",
    }

    def checked_scores(self, returned: object, *, samples: int, classes: int, where: str) -> torch.Tensor:
        """A float tensor (N, K) of finite values."""
        allowed = f"a float tensor (N, K) = ({samples}, {classes})"
        return _checked(returned, (samples, classes), "forward", allowed, where)

    def checked_steps(self, returned: object, scores: torch.Tensor, *, where: str) -> torch.Tensor:
        """A float tensor (T, N, K) of finite values whose mean over T is `scores`."""
        allowed = f"a float tensor (T, N, K) = (T, {scores.shape[0]}, {scores.shape[1]})"
        steps = _checked(returned, (None, *scores.shape), "scores_per_step", allowed, where)
        rounding = ROUNDING * max(float(scores.abs().max()), float(steps.abs().max()))
        differing = ((steps.mean(0) - scores).abs().amax(1) > rounding).sum()
        if differing:
            raise BadSubmission(
                f"the scores of {int(differing)} of {len(scores)} samples are not the mean over their steps",
                where=where,
                fix="let forward return scores_per_step(frames).mean(0)",
            )
        return steps

    def decisive(self, scores: torch.Tensor) -> torch.Tensor:
        """Scores less their mean over classes: what is added to all of them decides nothing, and must hide nothing."""
        return scores - scores.mean(1, keepdim=True)

    def quality(self, answer: Answer, labels: torch.Tensor) -> torch.Tensor:
        """(N,) bool: right and not tied."""
        return predicted(answer.scores) == labels

    def evidence_rows(self, answer: Answer) -> torch.Tensor:
        """(N,) int64: the predicted class, -1 for a tie."""
        return predicted(answer.scores)

    def encode(self, rows: Iterable[Sequence[Any]], seeds: Sequence[int], where: object) -> bytes:
        """The bytes of `.predictions.csv`: a header `id,label,seed<k>...`, then a line for each sample in order of id."""
        return predictions.encode(rows, seeds, where)

    def decode(self, content: bytes, where: object) -> Predictions:
        """The table in a `.predictions.csv`."""
        return predictions.decode(content, where)

    def mismatches(self, evidence: Evidence, *, seeds: list[int], samples: int, classes: int) -> list[str]:
        """Sentences on seeds, samples or classes that differ from the record's, and on repeated or unsorted samples."""
        return predictions.mismatches(_table(evidence), seeds=seeds, samples=samples, classes=classes)

    def recomputed(self, evidence: Evidence, run: int) -> dict[str, Recomputed]:
        """`accuracy` with its Wilson interval, `accuracy.ties`, `balanced_accuracy` with its interval, and `macro_f1`.

        The interval of `macro_f1` is of random draws, which another version of numpy may draw otherwise.
        """
        import numpy as np

        table = _table(evidence)
        right, samples = int(table.correct[run].sum()), len(table.ids)
        labels, predictions = np.array(table.labels), np.array(table.predicted[run])
        return {
            "accuracy": Recomputed(right / samples, *wilson(right, samples)),
            "accuracy.ties": Recomputed(table.predicted[run].count(TIED) / samples),
            "balanced_accuracy": Recomputed(*balanced_accuracy(labels, predictions)),
            "macro_f1": Recomputed(macro_f1(labels, predictions)),
        }

    def pooled(self, figure: str, values: Sequence[float], samples: int) -> Pooled | None:
        """Mean and Wilson interval of the mean number of right answers among the n test samples.

        n, not n times runs: every run answers the same samples.
        """
        if not self.has_interval(figure):
            return None
        # From the whole number of right answers, so that rows with as many right answers have exactly equal means.
        right = sum(round(value * samples) for value in values)
        return Pooled(right / (samples * len(values)), *wilson(right / len(values), samples))

    def has_interval(self, figure: str) -> bool:
        """True for shares of right answers: `accuracy`, `top_5_accuracy` and `accuracy_per_step.<step>`."""
        return figure in ("accuracy", "top_5_accuracy") or figure.startswith("accuracy_per_step.")

    def is_share(self, figure: str) -> bool:
        """True for the accuracies, the share of ties, macro F1 and what is said of calibration."""
        return figure.partition(".")[0] in SHARES

    def p_of_no_difference(self, a: np.ndarray, b: np.ndarray) -> float:
        """p of the exact sign-flip test over per-sample shares of runs that are right."""
        return sign_flip(difference_in_units(a, b)[0])

    def difference(self, a: np.ndarray, b: np.ndarray) -> Difference:
        """Difference of accuracies, with its paired bootstrap interval and p of the sign-flip test."""
        differences, units = difference_in_units(a, b)
        low, high = paired_bootstrap(differences)
        mean = float(differences.mean()) / units
        return Difference(mean, low / units, high / units, sign_flip(differences))

    def compared_runs(self, a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
        """Samples only A got right, samples only B got right, and p of McNemar's exact test."""
        only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
        return {"only_a": only_a, "only_b": only_b, "p": mcnemar_exact(only_a, only_b)}


def _table(evidence: Evidence) -> Predictions:
    if not isinstance(evidence, Predictions):
        raise TypeError(f"the evidence of a classification is its predictions, not {type(evidence).__name__}")
    return evidence


def _checked(
    returned: object, shape: tuple[int | None, ...], method: str, allowed: str, where: str
) -> torch.Tensor:
    """The tensor that a method of a model returned, checked for type, shape (None: any length) and finite values."""
    import torch

    if not isinstance(returned, torch.Tensor) or not returned.is_floating_point():
        type_name = str(returned.dtype) if isinstance(returned, torch.Tensor) else type(returned).__name__
        raise BadSubmission(f"{method} returned {type_name}", where=where, allowed=allowed)
    lengths = tuple(returned.shape)
    fits = len(lengths) == len(shape) and all(
        length > 0 if expected is None else length == expected
        for expected, length in zip(shape, lengths, strict=True)
    )
    if not fits:
        raise BadSubmission(f"{method} returned shape {lengths}", where=where, allowed=allowed)
    if not returned.isfinite().all():
        not_finite = ~returned.isfinite().all(-1)
        samples = not_finite.any(0) if not_finite.ndim == 2 else not_finite
        raise BadSubmission(
            f"{int(samples.sum())} of {len(samples)} samples have scores that are not finite",
            where=where,
        )
    return returned
