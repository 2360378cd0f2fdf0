"""The contract of a submitted model: the same answer when asked twice, and none that depends on the other samples of a batch."""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import BadSubmission
from eventbench.loading.task_data import TaskData
from eventbench.submission.folder import SubmissionFolder
from eventbench.submission.model import call_model
from eventbench.task_kinds.classification import predicted

SAME = 1e-3  # how far scores of one sample may part between batches, relative to the largest score


class HeldToContract(nn.Module):
    """The submitted model, each call of it held to the contract."""

    def __init__(self, model: nn.Module, classes: int, name: str) -> None:
        super().__init__()
        self.model, self._classes, self._name = model, classes, name

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return call_model(self.model, frames, self._classes, self._name).scores


def check(task_data: TaskData, submission: SubmissionFolder) -> None:
    """Hold every run of a submission to the contract on a few test samples, and write nothing.

    Raises BadSubmission where a model cannot be made or filled, raises, returns another shape or values that are not
    finite, answers otherwise when asked twice, or answers for one sample depending on its neighbours in the batch.
    """
    test = task_data.split("test")
    frames, _ = next(test.batches(16))
    half = frames.shape[1] // 2
    strangers = frames.clone()
    strangers[:, half:] = frames[
        :, :1
    ]  # as many as before, so the first half is computed alike to the last bit
    for weights in submission.spec.weights:
        model = ready_model(task_data, submission, weights)
        with torch.no_grad():
            once, twice = model(frames), model(frames)
            turned = model(frames.flip(1)).flip(0)
            accompanied = model(strangers)[:half]
        near = SAME * float(once.abs().max())
        for other, how in (
            (twice, "when asked twice"),
            (accompanied, "when the others in the batch are others"),
            (turned, "when the batch is in another order"),
        ):
            before = once[: len(other)]
            apart = (other - before).abs().amax(1) > near
            if other is turned:  # another place in the batch may round otherwise, which can move a spike
                apart &= predicted(other) != predicted(before)
            if apart.any():
                raise BadSubmission(
                    f"{int(apart.sum())} of {len(apart)} samples are answered otherwise {how}",
                    where=f"{submission.spec.model.name} with {weights}",
                    fix="state must start fresh at each call, and no sample may look at another",
                )


def ready_model(task_data: TaskData, submission: SubmissionFolder, weights: str) -> nn.Module:
    model = submission.filled_model(weights, task_data.sensor, task_data.time_steps, task_data.classes).model
    return HeldToContract(model, task_data.classes, submission.spec.model.name).to(task_data.device).eval()
