"""What a kind of task is: the answer of a model, the evidence kept of it, and how both are judged and compared.

Boards are read without torch, so torch is imported nowhere here: methods that are given tensors use the tensors' own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from eventbench import registry

if TYPE_CHECKING:
    import numpy as np
    import torch

DEFAULT = "classification"
"""The kind of a task or record that names none: those written before there were kinds."""


class Answer(NamedTuple):
    """What a model answers for a batch: scores (N, K), and those of each step (T, N, K) where they were asked for."""

    scores: torch.Tensor
    per_step: torch.Tensor | None = None


class Recomputed(NamedTuple):
    """A figure of one run as its evidence gives it, with its 95 % interval where the kind has one."""

    value: float
    low: float | None = None
    high: float | None = None


class Pooled(NamedTuple):
    """A figure over several runs on the same test samples: its mean and, where the kind has one, its 95 % interval."""

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
    """What is kept of every test sample of each run, in order of sample id.

    `seeds` names the runs, `ids` the n samples, `labels` what each sample should have been answered with.
    """

    seeds: list[int]
    ids: list[str]
    labels: list[Any]

    @property
    @abstractmethod
    def marks(self) -> np.ndarray:
        """How well each run answered each sample, (runs, samples): what paired tests compare."""


class TaskKind(ABC):
    """A kind of task. Members have no state: `named(kind)` makes one wherever it is needed.

    Attributes
    ----------
    main_figure : what a board of this kind ranks by where its task names nothing, and what its plots show.
    selected_by : the figure that selects a checkpoint, as logs and submissions name it.
    evidence_ending : evidence lies beside its record, as `<record>.<evidence_ending>`.
    interval_note : what the intervals on a board of this kind are, in words.
    paired_test : the test behind `p_of_no_difference`, in words, without an article.
    interval_of_difference : how `difference` finds its interval, in words.
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

        Raises BadSubmission where they are of another type or shape or not finite, or where their mean over T is not
        `scores`, but for rounding.
        """

    # What selects a checkpoint

    @abstractmethod
    def quality(self, answer: Answer, labels: torch.Tensor) -> torch.Tensor:
        """How well each sample is answered, (N,), higher is better; its mean over a split is the figure `selected_by`."""

    def merit(self, quality: float, loss: float) -> tuple[float, ...]:
        """What the checkpoint with the largest value of is kept: mean quality on validation, then the lower loss."""
        return quality, -loss

    # What is kept as evidence

    @abstractmethod
    def kept(self, answer: Answer) -> torch.Tensor:
        """What is kept of a batch's answers, a row a sample: (N,) or (N, ...)."""

    @abstractmethod
    def encode(self, rows: Iterable[Sequence[Any]], seeds: Sequence[int], where: object) -> bytes:
        """The evidence file of rows `(id, label, what run 0 answered, what run 1 answered, ...)`, in any order.

        Raises BadRecord for a row with another number of answers than there are `seeds`.
        """

    @abstractmethod
    def decode(self, content: bytes, where: object) -> Evidence:
        """The evidence in the bytes of a file. Raises BadRecord, with the place, where they hold none."""

    @abstractmethod
    def misfits(self, evidence: Evidence, *, seeds: list[int], samples: int, classes: int) -> list[str]:
        """Every way in which the evidence does not fit the record it belongs to, a sentence each."""

    # How figures are recomputed, shown and ranked

    @abstractmethod
    def recomputed(self, evidence: Evidence, run: int) -> dict[str, Recomputed]:
        """The figures of the run at index `run` that its evidence gives; `main_figure` is among them."""

    @abstractmethod
    def pooled(self, figure: str, values: Sequence[float], samples: int) -> Pooled | None:
        """A figure over runs, from its value in each; None for a figure of which this kind knows no interval."""

    @abstractmethod
    def has_interval(self, figure: str) -> bool:
        """True where `pooled` knows an interval of the figure."""

    @abstractmethod
    def is_share(self, figure: str) -> bool:
        """True for a figure stored as a share, 0 to 1, and shown in percent."""

    # Which paired test compares

    @abstractmethod
    def p_of_no_difference(self, a: np.ndarray, b: np.ndarray) -> float:
        """p of the paired test of two sets of marks, (runs of A, samples) and (runs of B, samples)."""

    @abstractmethod
    def difference(self, a: np.ndarray, b: np.ndarray) -> Difference:
        """Mean marks of A minus those of B, both (runs, samples), with interval and p."""

    @abstractmethod
    def compared_runs(self, a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
        """One run of A beside one of B, marks (samples,) each: counts to show, and `p` of their paired test."""


def named(kind: str, *, where: object = "") -> TaskKind:
    """The kind of task called `kind`. Raises UnknownName, with those there are, when there is none."""
    return registry.task_kinds.get(kind, where=where)()
