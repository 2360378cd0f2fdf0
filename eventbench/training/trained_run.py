"""`train_seed`: trains one seed and writes its weights and log; `TrainedRun`: the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from eventbench.errors import BadSubmission, EventbenchError
from eventbench.layers.lif import backends_used
from eventbench.loading.task_data import TaskData
from eventbench.submission.guest_package import line_of
from eventbench.submission.model import make_model
from eventbench.submission.user_code import ModelCode
from eventbench.task_kinds.base import TaskKind, task_kind_named
from eventbench.training.loop import Epoch, best_epoch, fit, write_log
from eventbench.training.recipe import Recipe
from eventbench.training.step import seed_everything

EpochWatcher = Callable[[Epoch], None]

# Called with (seed, maximum number of epochs); a context around the training, whose value is called with each epoch.
TrainingProgress = Callable[[int, int], AbstractContextManager[EpochWatcher]]


def unwatched(seed: int, epochs: int) -> AbstractContextManager[EpochWatcher]:  # noqa: ARG001  # a TrainingProgress
    """The `TrainingProgress` that shows nothing."""
    return nullcontext(lambda epoch: None)  # noqa: ARG005


class TrainedRun(msgspec.Struct, frozen=True):
    """The result of training one seed.

    `log` has one line per epoch; the weights are those of epoch `best_epoch`. `figure` is the name of its quality, such as
    "accuracy"; `lif_backends` are the backends that the LIF layers used.
    """

    seed: int
    figure: str
    log: list[Epoch]
    best_epoch: int
    lif_backends: list[str]
    seconds: float

    @property
    def best(self) -> Epoch:
        """The epoch whose weights were selected."""
        return self.log[self.best_epoch - 1]

    def as_json(self) -> dict[str, Any]:
        """The run in the output of `train --json`."""
        return {
            "seed": self.seed,
            "epochs": len(self.log),
            "best_epoch": self.best_epoch,
            f"validation_{self.figure}": self.best.validation_quality,
            "lif_backends": self.lif_backends,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class TrainingJob:
    """What to train: a model, made with `config`, on the samples of a task, by a recipe."""

    task_data: TaskData
    code: ModelCode
    config: dict[str, Any]
    recipe: Recipe

    @property
    def kind(self) -> TaskKind:
        """The kind of the task."""
        return task_kind_named(self.task_data.task.spec.kind, where=self.task_data.task.path.name)

    def make(self) -> nn.Module:
        """The untrained model on the device. Raises BadSubmission if it cannot be made."""
        data = self.task_data
        model = make_model(self.code, self.config, data.sensor, data.time_steps, data.classes)
        return model.to(data.device)


def train_seed(
    job: TrainingJob, seed: int, folder: Path, progress: TrainingProgress = unwatched
) -> TrainedRun:
    """Train one seed, into `seed<seed>.safetensors` and `seed<seed>.csv` of a folder.

    A run that an earlier call has finished there is not trained again; `seed<seed>.json`, written last, marks it. Raises
    BadSubmission if the model cannot be trained or its weights cannot be written.
    """
    state_file = folder / f"seed{seed}.json"
    if finished := _finished(state_file):
        return finished
    start = time.perf_counter()
    generator = seed_everything(seed, job.task_data.device)
    model = job.make()
    with progress(seed, job.recipe.epochs) as watch:
        log = _fit(job, model, generator, watch)
    write_log(log, folder / f"seed{seed}.csv", job.kind.selected_by)
    _save(model, folder / f"seed{seed}.safetensors")
    run = TrainedRun(
        seed=seed,
        figure=job.kind.selected_by,
        log=log,
        best_epoch=best_epoch(log, job.kind).epoch,
        lif_backends=sorted(set(backends_used(model).values())),
        seconds=round(time.perf_counter() - start, 1),
    )
    unfinished = state_file.with_suffix(".tmp")
    unfinished.write_bytes(msgspec.json.encode(run))
    unfinished.replace(state_file)
    return run


def _finished(state_file: Path) -> TrainedRun | None:
    """The run that an earlier call has finished; None if there is none."""
    if not state_file.is_file():
        return None
    try:
        return msgspec.json.decode(state_file.read_bytes(), type=TrainedRun)
    except msgspec.DecodeError:
        return None


def _fit(job: TrainingJob, model: nn.Module, generator: torch.Generator, watch: EpochWatcher) -> list[Epoch]:
    """Train and return the log. Exceptions of a submitted model become BadSubmission."""
    data = job.task_data
    try:
        return fit(
            model,
            data.split("train"),
            data.split("validation"),
            job.recipe,
            generator,
            kind=job.kind,
            progress=watch,
        )
    except EventbenchError:
        raise
    except Exception as error:
        if not job.code.submitted:
            raise
        raise BadSubmission(
            f"training failed: {type(error).__name__}: {error}{line_of(error)}", where=job.code.name
        ) from error


def _save(model: nn.Module, path: Path) -> None:
    # Copies, since safetensors refuses tied weights: two keys with the same memory.
    state = {key: value.detach().cpu().contiguous().clone() for key, value in model.state_dict().items()}
    try:
        save_file(state, path)
    except SafetensorError as error:
        raise BadSubmission(
            f"the weights cannot be written: {error}", where=path.parent, fix="run the same command again"
        ) from None
