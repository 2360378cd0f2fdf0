"""The contract of a model: scores are the same at each call and depend on nothing but their own sample, and every metric of
the task can be computed. Checked before a model is trained, by `submit --check`, and before it is scored.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from eventbench import registry
from eventbench.errors import BadSubmission
from eventbench.metrics.base import AnswerMetric, Measured, measure
from eventbench.models.protocols import ScoresPerStep
from eventbench.specs.task import Task
from eventbench.submission.model import call_model, call_scores_per_step
from eventbench.task_kinds.base import Answer, TaskKind

TOLERANCE = 1e-3  # how far scores may differ, relative to the largest difference between two classes
CHECKED_SAMPLES = 8


class HeldToContract(nn.Module):
    """The submitted model, wrapped so that what each forward returns is checked by the kind of task."""

    def __init__(self, model: nn.Module, kind: TaskKind, classes: int, name: str) -> None:
        super().__init__()
        self.model, self.kind, self.classes, self.name = model, kind, classes, name

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (N, K) of frames (T, N, C, H, W)."""
        with _one_way_through_transformers():
            return call_model(self.model, frames, self.classes, self.name, self.kind).scores


@contextmanager
def _one_way_through_transformers() -> Iterator[None]:
    """No fast path of torch's transformers: it is another computation, which fails where a layer is watched."""
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)


class StepsHeldToContract(HeldToContract):
    """A submitted model that offers scores of each step: their mean must be what the last forward returned."""

    _scores: torch.Tensor

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (N, K) of frames (T, N, C, H, W), remembered for `scores_per_step`."""
        self._scores = super().forward(frames)
        return self._scores

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (T, N, K) of the frames of the last forward."""
        assert isinstance(self.model, ScoresPerStep)
        return call_scores_per_step(self.model, frames, self._scores, self.name, self.kind)


def held_to_contract(
    model: nn.Module, kind: TaskKind, classes: int, name: str, metrics: Sequence[str]
) -> HeldToContract:
    """The model, wrapped; with its scores of each step where one of the `metrics` needs them and it offers them."""
    members = (registry.metrics.get(metric) for metric in metrics)
    needs_steps = any(issubclass(member, AnswerMetric) and member.needs_steps for member in members)
    wrapper = StepsHeldToContract if needs_steps and isinstance(model, ScoresPerStep) else HeldToContract
    return wrapper(model, kind, classes, name)


@torch.no_grad()
def check_scores(model: HeldToContract, frames: torch.Tensor, where: str) -> None:
    """Hold a model, in eval mode, to its contract on a few samples, frames (T, N, C, H, W).

    It is called for the same samples again, in other orders, beside other samples, alone and in a smaller last batch, with
    the random generators moved between. Its buffers are restored. Raises BadSubmission where the scores are not those of
    the sample alone, or a parameter changes.
    """
    state_before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    _compare_scores(model, frames, where)
    _restore_buffers(model, state_before, where)


def check_metrics(
    model: HeldToContract, frames: torch.Tensor, labels: torch.Tensor, metrics: Sequence[str]
) -> Measured:
    """Compute every metric on a few samples, frames (T, N, C, H, W) and labels (N,), as the scoring will.

    Raises what a metric raises, but for what is not counted; buffers are restored.
    """
    state_before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    members = {name: registry.metrics.get(name)() for name in metrics}
    measured = measure(model, _uneven_batches(frames, labels), members, frames.device)
    _restore_buffers(model, state_before, model.name)
    return measured


def refuse_missing(measured: Measured, task: Task, where: str) -> None:
    """Raises BadSubmission where a figure that the task demands, or ranks by, cannot be computed."""
    for metric, why in measured.not_counted.items():
        if metric in task.demands or metric == task.ranked_by.partition(".")[0]:
            raise BadSubmission(f"{metric} is not counted, and the task demands it: {why}", where=where)


def _uneven_batches(
    frames: torch.Tensor, labels: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches as the scoring has them, the last one smaller, and one of a single sample."""
    samples = frames.shape[1]
    ends = sorted({samples, max(1, samples - 1), max(1, samples * 2 // 3)})
    for start, end in zip([0, *ends], ends, strict=False):
        yield frames[:, start:end], labels[start:end]


def _compare_scores(model: HeldToContract, frames: torch.Tensor, where: str) -> None:
    samples = frames.shape[1]
    half = samples // 2
    other_second_half = frames.clone()
    # As many samples as before, so that the first half is computed the same to the last bit.
    other_second_half[:, half:] = frames[:, :1]
    generator = torch.Generator().manual_seed(20261128)
    orders = [torch.randperm(samples, generator=generator).to(frames.device) for _ in range(2)]
    version = frames._version  # noqa: SLF001  # torch counts writes only here
    expected = model(frames)
    if frames._version != version:  # noqa: SLF001  # as above
        raise BadSubmission(
            "forward changes its frames in place", where=where, fix="begin it with frames = frames.clone()"
        )
    if isinstance(model, StepsHeldToContract):
        model.scores_per_step(frames)
    compare = _Comparison(model.kind, expected, where)
    for order in orders:
        _move_generators()
        compare.exact(model(frames), slice(None), "change when the model is called twice")
        _move_generators()
        compare.rounded(model(frames[:, order]), order, "depend on the order of the batch")
    compare.exact(model(other_second_half)[:half], slice(half), "depend on the other samples of the batch")
    for part in (slice(samples - 1, samples), slice(half // 2, samples)):
        compare.rounded(model(frames[:, part]), part, "depend on how many samples are in the batch")
    compare.exact(model(frames), slice(None), "depend on what was scored before")


class _Comparison:
    """Scores compared with those of the first call, as the differences between classes that decide a prediction."""

    def __init__(self, kind: TaskKind, expected: torch.Tensor, where: str) -> None:
        self._kind, self._where = kind, where
        self._scores = kind.decisive(expected)
        self._rows = kind.evidence_rows(Answer(expected))
        self._tolerance = TOLERANCE * float(self._scores.abs().max())

    def exact(self, scores: torch.Tensor, which: slice | torch.Tensor, problem: str) -> None:
        """Refuse scores that differ, or lead to another answer, where the same numbers are computed again."""
        self._refuse(self._far(scores, which) | self._other_answer(scores, which), problem)

    def rounded(self, scores: torch.Tensor, which: slice | torch.Tensor, problem: str) -> None:
        """As `exact`, where rounding may differ by the place in the batch, which can move a spike: by answers too."""
        self._refuse(self._far(scores, which) & self._other_answer(scores, which), problem)

    def _far(self, scores: torch.Tensor, which: slice | torch.Tensor) -> torch.Tensor:
        differences = (self._kind.decisive(scores) - self._scores[which]).abs()
        return differences.flatten(1).amax(1) > self._tolerance

    def _other_answer(self, scores: torch.Tensor, which: slice | torch.Tensor) -> torch.Tensor:
        rows = self._kind.evidence_rows(Answer(scores))
        return (rows != self._rows[which]).reshape(len(rows), -1).any(1)

    def _refuse(self, differ: torch.Tensor, problem: str) -> None:
        if differ.any():
            raise BadSubmission(
                f"scores of {int(differ.sum())} of {len(differ)} samples {problem}",
                where=self._where,
                fix="state must start fresh at each call, no sample may look at another, and dropout is off in eval mode",
            )


def _move_generators() -> None:
    """Draw from the random generators that a model may draw from."""
    torch.rand(1)
    if torch.cuda.is_available():
        torch.rand(1, device="cuda")
    np.random.rand()  # the global generator is what a model may use
    random.random()


def _restore_buffers(model: nn.Module, state_before: Mapping[str, torch.Tensor], where: str) -> None:
    """Set buffers to their values before the check; raises BadSubmission where the model changed its parameters."""
    for name, parameter in model.named_parameters():
        if name in state_before and not torch.equal(parameter, state_before[name]):
            raise BadSubmission(
                f"the parameter {name.removeprefix('model.')!r} is changed by a forward in eval mode",
                where=where,
                fix="a submission is scored with the weights of its file: forward must not change them",
            )
    state = model.state_dict()
    for name in sorted({*state, *state_before}):
        before, after = state_before.get(name), state.get(name)
        if before is None or after is None or before.shape != after.shape:
            kept = "what a forward needs to keep is made in __init__, or a buffer with persistent=False"
            raise BadSubmission(
                f"forward makes, removes or resizes {name.removeprefix('model.')!r}: a file of weights would not fit",
                where=where,
                fix=kept,
            )
        after.copy_(before)
