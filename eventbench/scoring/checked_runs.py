"""The runs of a submission, each checked against the contract before it is scored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from eventbench.loading.task_data import TaskData
from eventbench.submission.contract import (
    CHECKED_SAMPLES,
    HeldToContract,
    check_metrics,
    check_scores,
    held_to_contract,
    refuse_missing,
)
from eventbench.submission.folder import SubmissionFolder
from eventbench.task_kinds.base import task_kind_named


class CheckedRun(NamedTuple):
    """A run that holds to the contract: its seed, its model ready to be scored, and the sha256 of its weights."""

    seed: int
    model: HeldToContract
    weights: str


def check(task_data: TaskData, submission: SubmissionFolder) -> dict[str, str]:
    """Check on a few test samples all that `score` will do with each run of a submission, and write nothing.

    Returns which metrics will not be counted, and why.

    Raises BadSubmission where a model cannot be made, cannot load its weights, raises, returns another shape or values
    that are not finite, other scores at another call, or scores that depend on other samples, and what a metric raises.
    """
    frames, labels = next(task_data.split("test").batches(CHECKED_SAMPLES))
    not_counted: dict[str, str] = {}
    for run in checked_runs(task_data, submission):
        measured = check_metrics(run.model, frames, labels, task_data.task.spec.metrics)
        refuse_missing(measured, task_data.task.spec, run.model.name)
        not_counted |= measured.not_counted
    return not_counted


def checked_runs(task_data: TaskData, submission: SubmissionFolder) -> Iterator[CheckedRun]:
    """Each run of a submission after it has been checked; raises what `check` raises.

    The model that was checked is the one to score: its weights are read and its class is made only once.
    """
    submission.refuse_other_pipeline(task_data.pipeline)
    frames, _ = next(task_data.split("test").batches(CHECKED_SAMPLES))
    kind, name = task_kind_named(task_data.task.spec.kind), submission.spec.model.name
    for seed, weights in zip(submission.seeds, submission.spec.weights, strict=True):
        filled = submission.filled_model(weights, task_data.sensor, task_data.time_steps, task_data.classes)
        model = held_to_contract(filled.model, kind, task_data.classes, name, task_data.task.spec.metrics)
        model = model.to(task_data.device).eval()
        check_scores(model, frames, f"{name} with {weights}")
        yield CheckedRun(seed, model, filled.digest)
