"""Base of the kinds of task: the answer of a model, the evidence of it, and how both are scored and compared.

Boards are read without torch, so torch is imported for type checkers only; code here calls methods of the tensors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from eventbench import registry

if TYPE_CHECKING:
    import numpy as np
    import torch

DEFAULT_KIND = "classification"
"""The kind of a task or record that names none: those written before there were kinds."""


class Answer(NamedTuple):
    """A model's answer for a batch: scores (N, K), and those of each step (T, N, K) where they were asked for."""

    scores: torch.Tensor
    per_step: torch.Tensor | None = None


class Recomputed(NamedTuple):
    """A figure of one run recomputed from its evidence, with its 95 % interval where the kind has one."""

    value: float
    low: float | None = None
    high: float | None = None


class Pooled(NamedTuple):
    """A figure over several runs on the same test samples: its mean and its 95 % interval."""

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """A minus B over the same test samples: the mean, its 95 % interval, and p of no difference."""

    mean: float
    low: float
    high: float
    p: float


class Evidence(ABC):
    """The answers of each run for every test sample that are stored with a record, in order of sample id.

    `seeds` are those of the runs, `ids` those of the n samples, `labels` the right answer for each sample.
    """

    seeds: list[int]
    ids: list[str]
    labels: list[Any]

    @property
    @abstractmethod
    def marks(self) -> np.ndarray:
        """How well each run answered each sample, (runs, samples): what paired tests compare."""


class TaskKind(ABC):
    """A kind of task. Members have no state; `task_kind_named` makes one wherever it is needed.

    Attributes
    ----------
    main_figure : the figure that boards of this kind rank by where the task names none, and that their plots show.
    selected_by : the figure that selects a checkpoint, by the name that logs and submissions use.
    evidence_ending : evidence is stored beside its record, as `<record>.<evidence_ending>`.
    interval_note : a sentence on the intervals of a board of this kind.
    paired_test : the name of the test behind `p_of_no_difference`, without an article.
    interval_of_difference : the name of the method by which `difference` computes its interval.
    compared_columns : the heading of each key of `compared_runs`.
    """

    main_figure: ClassVar[str]
    selected_by: ClassVar[str]
    evidence_ending: ClassVar[str]
    interval_note: ClassVar[str]
    paired_test: ClassVar[str]
    interval_of_difference: ClassVar[str]
    compared_columns: ClassVar[dict[str, str]]

    # What a model returns

    @abstractmethod
    def checked_scores(self, returned: object, *, samples: int, classes: int, where: str) -> torch.Tensor:
        """The scores (N, K) that `forward` returned for a batch of N = `samples`.

        Raises BadSubmission, with what is allowed, where they are of another type or shape or not finite.
        """

    @abstractmethod
    def checked_steps(self, returned: object, scores: torch.Tensor, *, where: str) -> torch.Tensor:
        """The scores of each step (T, N, K) that `scores_per_step` returned for a batch whose `scores` are (N, K).

        Raises BadSubmission where they are of another type or shape or not finite, or where their mean over T differs
        from `scores` by more than rounding.
        """

    def decisive(self, scores: torch.Tensor) -> torch.Tensor:
        """What of the scores (N, K) decides the answer, (N, ...): two calls must agree in this, and in nothing more."""
        return scores

    # What selects a checkpoint

    @abstractmethod
    def quality(self, answer: Answer, labels: torch.Tensor) -> torch.Tensor:
        """How well each sample is answered, (N,), higher is better; its mean over a split is the figure `selected_by`."""

    def merit(self, quality: float, loss: float) -> tuple[float, ...]:
        """The checkpoint with the largest merit is used: the higher mean quality on validation, then the lower loss."""
        return quality, -loss

    # What is stored as evidence

    @abstractmethod
    def evidence_rows(self, answer: Answer) -> torch.Tensor:
        """The part of a batch's answers that is stored as evidence, a row for each sample: (N,) or (N, ...)."""

    @abstractmethod
    def encode(self, rows: Iterable[Sequence[Any]], seeds: Sequence[int], where: object) -> bytes:
        """The bytes of the evidence file, from rows `(id, label, answer of run 0, answer of run 1, ...)` in any order.

        Raises BadRecord for a row with another number of answers than there are `seeds`.
        """

    @abstractmethod
    def decode(self, content: bytes, where: object) -> Evidence:
        """The evidence in the bytes of a file. Raises BadRecord, with the place in the file, where they hold none."""

    @abstractmethod
    def mismatches(self, evidence: Evidence, *, seeds: list[int], samples: int, classes: int) -> list[str]:
        """Every way in which the evidence does not fit its record, a sentence each."""

    # How figures are recomputed, shown and ranked

    @abstractmethod
    def recomputed(self, evidence: Evidence, run: int) -> dict[str, Recomputed]:
        """The figures of the run at index `run` that follow from its evidence; `main_figure` is among them."""

    @abstractmethod
    def pooled(self, figure: str, values: Sequence[float], samples: int) -> Pooled | None:
        """A figure over runs, from its value in each; None for a figure without an interval of this kind."""

    @abstractmethod
    def has_interval(self, figure: str) -> bool:
        """True where `pooled` gives an interval for the figure."""

    @abstractmethod
    def is_share(self, figure: str) -> bool:
        """True for a figure that is stored as a share, 0 to 1, and shown in percent."""

    # Which paired test compares

    @abstractmethod
    def p_of_no_difference(self, a: np.ndarray, b: np.ndarray) -> float:
        """p of the paired test of two sets of marks, (runs of A, samples) and (runs of B, samples)."""

    @abstractmethod
    def difference(self, a: np.ndarray, b: np.ndarray) -> Difference:
        """Mean marks of A minus mean marks of B, both (runs, samples), with interval and p."""

    @abstractmethod
    def compared_runs(self, a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
        """Comparison of one run of A with one of B, marks (samples,) each: counts, and `p` of their paired test."""


def task_kind_named(kind: str, *, where: object = "") -> TaskKind:
    """The kind of task called `kind`. Raises UnknownName, with the names that exist, for any other name."""
    return registry.task_kinds.get(kind, where=where)()
