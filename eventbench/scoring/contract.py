"""The contract of a submitted model: the same scores when asked twice, and none that depend on other samples of a batch."""

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
from eventbench.task_kinds.base import Answer, TaskKind, named

SAME = 1e-3  # how far scores of one sample may be apart between batches, relative to the largest score
TRIED = 16  # samples


class HeldToContract(nn.Module):
    """The submitted model; what each forward returns is held to the kind of task."""

    def __init__(self, model: nn.Module, kind: TaskKind, classes: int, name: str) -> None:
        super().__init__()
        self.model, self.kind, self.classes, self.name = model, kind, classes, name

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scores (N, K) of frames (T, N, C, H, W)."""
        return call_model(self.model, frames, self.classes, self.name, self.kind).scores


class StepsHeldToContract(HeldToContract):
    """The same of a model that offers scores of each step: their mean must be what the forward before returned."""

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
    """Hold every run of a submission to the contract on a few test samples, and write nothing.

    Raises BadSubmission where a model cannot be made or filled, raises, returns another shape or values that are not
    finite, gives other scores when asked twice, or scores of a sample that depend on its neighbours in the batch.
    """
    for _ in checked_runs(task_data, submission):
        pass


def checked_runs(task_data: TaskData, submission: SubmissionFolder) -> Iterator[CheckedRun]:
    """Each run of a submission, once it holds to the contract; raises what `check` raises.

    The model that was checked is the one to score: its weights are read and its class is made once.
    """
    frames, _ = next(task_data.split("test").batches(TRIED))
    kind = named(task_data.task.spec.kind)
    for seed, weights in zip(submission.seeds, submission.spec.weights, strict=True):
        filled = submission.filled_model(weights, task_data.sensor, task_data.time_steps, task_data.classes)
        held = _needs_steps(task_data.task.spec.metrics) and isinstance(filled.model, ScoresPerStep)
        wrapper = StepsHeldToContract if held else HeldToContract
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
    """Ask the model four times; it is left as it was."""
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    half = frames.shape[1] // 2
    strangers = frames.clone()
    # As many samples as before, so the first half is computed alike to the last bit.
    strangers[:, half:] = frames[:, :1]
    once = model(frames)
    if isinstance(model, StepsHeldToContract):
        model.scores_per_step(frames)
    twice = model(frames)
    turned = model(frames.flip(1)).flip(0)
    accompanied = model(strangers)[:half]
    near = SAME * float(once.abs().max())
    for scores, what in (
        (twice, "change when the model is asked twice"),
        (accompanied, "depend on the other samples of the batch"),
        (turned, "depend on the order of the batch"),
    ):
        first = once[: len(scores)]
        differ = (scores - first).abs().flatten(1).amax(1) > near
        if scores is turned:  # another place in the batch may round otherwise, which can move a spike
            kept, kept_first = (model.kind.kept(Answer(answer)) for answer in (scores, first))
            differ &= (kept != kept_first).reshape(len(first), -1).any(1)
        if differ.any():
            raise BadSubmission(
                f"scores of {int(differ.sum())} of {len(differ)} samples {what}",
                where=where,
                fix="state must start fresh at each call, and no sample may look at another",
            )
    _put_back(model, before, where)


def _put_back(model: nn.Module, before: Mapping[str, torch.Tensor], where: str) -> None:
    """Buffers as they were before the check; raises BadSubmission where the model changed its parameters."""
    for name, parameter in model.named_parameters():
        if name in before and not torch.equal(parameter, before[name]):
            raise BadSubmission(
                f"the parameter {name.removeprefix('model.')!r} is changed by a forward in eval mode",
                where=where,
                fix="a submission is scored with the weights of its file: let forward leave them alone",
            )
    for name, tensor in model.state_dict().items():
        if name in before and tensor.shape == before[name].shape:
            tensor.copy_(before[name])
