"""The contract of a submitted model: scores are the same at each call and do not depend on the rest of the batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import nn

from eventbench import registry
from eventbench.errors import BadSubmission
from eventbench.loading.task_data import TaskData
from eventbench.metrics.base import AnswerMetric
from eventbench.models.protocols import ScoresPerStep
from eventbench.submission.folder import SubmissionFolder
from eventbench.submission.model import call_model, call_scores_per_step
from eventbench.task_kinds.base import Answer, TaskKind, task_kind_named

TOLERANCE = 1e-3  # how far scores of a sample may differ between batches, relative to the largest score
CHECKED_SAMPLES = 16


class HeldToContract(nn.Module):
    """The submitted model, wrapped so that what each forward returns is checked by the kind of task."""

    def __init__(self, model: nn.Module, kind: TaskKind, classes: int, name: str) -> None:
        super().__init__()
        self.model, self.kind, self.classes, self.name = model, kind, classes, name

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (N, K) of frames (T, N, C, H, W)."""
        return call_model(self.model, frames, self.classes, self.name, self.kind).scores


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


class CheckedRun(NamedTuple):
    """A run that holds to the contract: its seed, its model ready to be scored, and the sha256 of its weights."""

    seed: int
    model: HeldToContract
    weights: str


def check(task_data: TaskData, submission: SubmissionFolder) -> None:
    """Check that every run of a submission keeps the contract on a few test samples, and write nothing.

    Raises BadSubmission where a model cannot be made, cannot load its weights, raises, returns another shape or values
    that are not finite, returns other scores at a second call, or scores that depend on the other samples of the batch.
    """
    for _ in checked_runs(task_data, submission):
        pass


def checked_runs(task_data: TaskData, submission: SubmissionFolder) -> Iterator[CheckedRun]:
    """Each run of a submission after it has been checked; raises what `check` raises.

    The model that was checked is the one to score: its weights are read and its class is made only once.
    """
    frames, _ = next(task_data.split("test").batches(CHECKED_SAMPLES))
    kind = task_kind_named(task_data.task.spec.kind)
    for seed, weights in zip(submission.seeds, submission.spec.weights, strict=True):
        filled = submission.filled_model(weights, task_data.sensor, task_data.time_steps, task_data.classes)
        per_step = _needs_steps(task_data.task.spec.metrics) and isinstance(filled.model, ScoresPerStep)
        wrapper = StepsHeldToContract if per_step else HeldToContract
        model = wrapper(filled.model, kind, task_data.classes, submission.spec.model.name)
        model = model.to(task_data.device).eval()
        _check_model(model, frames, f"{submission.spec.model.name} with {weights}")
        yield CheckedRun(seed, model, filled.digest)


def _needs_steps(metrics: Sequence[str]) -> bool:
    """Whether a metric of the task is computed from the scores of each step."""
    members = (registry.metrics.get(name) for name in metrics)
    return any(issubclass(member, AnswerMetric) and member.needs_steps for member in members)


@torch.no_grad()
def _check_model(model: HeldToContract, frames: torch.Tensor, where: str) -> None:
    """Call the model four times on variations of a batch (T, N, C, H, W) and compare; its buffers are restored."""
    state_before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    half = frames.shape[1] // 2
    other_second_half = frames.clone()
    # As many samples as before, so that the first half is computed the same to the last bit.
    other_second_half[:, half:] = frames[:, :1]
    expected = model(frames)
    if isinstance(model, StepsHeldToContract):
        model.scores_per_step(frames)
    second_call = model(frames)
    reversed_batch = model(frames.flip(1)).flip(0)
    first_half = model(other_second_half)[:half]
    tolerance = TOLERANCE * float(expected.abs().max())
    for scores, problem in (
        (second_call, "change when the model is called twice"),
        (first_half, "depend on the other samples of the batch"),
        (reversed_batch, "depend on the order of the batch"),
    ):
        expected_part = expected[: len(scores)]
        differ = (scores - expected_part).abs().flatten(1).amax(1) > tolerance
        if (
            scores is reversed_batch
        ):  # another position in the batch may round differently, which can move a spike
            rows, expected_rows = (model.kind.evidence_rows(Answer(part)) for part in (scores, expected_part))
            differ &= (rows != expected_rows).reshape(len(rows), -1).any(1)
        if differ.any():
            raise BadSubmission(
                f"scores of {int(differ.sum())} of {len(differ)} samples {problem}",
                where=where,
                fix="state must start fresh at each call, and no sample may look at another",
            )
    _restore_buffers(model, state_before, where)


def _restore_buffers(model: nn.Module, state_before: Mapping[str, torch.Tensor], where: str) -> None:
    """Set buffers to their values before the check; raises BadSubmission where the model changed its parameters."""
    for name, parameter in model.named_parameters():
        if name in state_before and not torch.equal(parameter, state_before[name]):
            raise BadSubmission(
                f"the parameter {name.removeprefix('model.')!r} is changed by a forward in eval mode",
                where=where,
                fix="a submission is scored with the weights of its file: forward must not change them",
            )
    for name, tensor in model.state_dict().items():
        if name in state_before and tensor.shape == state_before[name].shape:
            tensor.copy_(state_before[name])
