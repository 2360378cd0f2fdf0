"""`TrainedRun`: what training one seed came to; and `train_seed`, which trains it and writes its weights and its log."""

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

from eventbench.errors import BadSubmission
from eventbench.layers.lif import backends_used
from eventbench.loading.task_data import TaskData
from eventbench.submission.model import make_model
from eventbench.submission.user_code import ModelCode
from eventbench.task_kinds.base import TaskKind, task_kind_named
from eventbench.training.loop import Epoch, best_epoch, fit, write_log
from eventbench.training.recipe import Recipe
from eventbench.training.step import seed_everything

EpochWatcher = Callable[[Epoch], None]

# Entered with (seed, epochs at most) while a seed trains; what it gives is called with each epoch.
TrainingProgress = Callable[[int, int], AbstractContextManager[EpochWatcher]]


def unwatched(seed: int, epochs: int) -> AbstractContextManager[EpochWatcher]:  # noqa: ARG001  # a TrainingProgress
    """The `TrainingProgress` that shows nothing."""
    return nullcontext(lambda epoch: None)  # noqa: ARG005


class TrainedRun(msgspec.Struct, frozen=True):
    """What training one seed came to.

    `log` has a line an epoch, of which number `best_epoch` was kept; `figure` is what its quality is the mean of, as
    "accuracy"; `lif_backends` are those that the LIF layers were computed by.
    """

    seed: int
    figure: str
    log: list[Epoch]
    best_epoch: int
    lif_backends: list[str]
    seconds: float

    @property
    def best(self) -> Epoch:
        """The epoch whose weights were kept."""
        return self.log[self.best_epoch - 1]

    def as_json(self) -> dict[str, Any]:
        """What `train --json` says of it."""
        return {
            "seed": self.seed,
            "epochs": len(self.log),
            "best_epoch": self.best_epoch,
            f"validation_{self.figure}": self.best.validation_quality,
            "lif_backends": self.lif_backends,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class ModelToTrain:
    """What is trained: a model, made with `config` for the samples of a task, as a recipe says."""

    task_data: TaskData
    code: ModelCode
    config: dict[str, Any]
    recipe: Recipe

    @property
    def kind(self) -> TaskKind:
        """The kind of the task."""
        return task_kind_named(self.task_data.task.spec.kind, where=self.task_data.task.path.name)

    def make(self) -> nn.Module:
        """The model on the device, untrained. Raises BadSubmission where it cannot be made."""
        data = self.task_data
        model = make_model(self.code, self.config, data.sensor, data.time_steps, data.classes)
        return model.to(data.device)


def train_seed(
    order: ModelToTrain, seed: int, folder: Path, progress: TrainingProgress = unwatched
) -> TrainedRun:
    """Train one seed, into `seed<seed>.safetensors` and `seed<seed>.csv` of a folder.

    A run that an earlier call has finished there is not trained again: `seed<seed>.json`, written last, says so. Raises
    BadSubmission where the model cannot be trained or its weights cannot be written.
    """
    state_file = folder / f"seed{seed}.json"
    if finished := _finished(state_file):
        return finished
    start = time.perf_counter()
    generator = seed_everything(seed, order.task_data.device)
    model = order.make()
    with progress(seed, order.recipe.epochs) as watch:
        log = _fit(order, model, generator, watch)
    write_log(log, folder / f"seed{seed}.csv", order.kind.selected_by)
    _save(model, folder / f"seed{seed}.safetensors")
    run = TrainedRun(
        seed=seed,
        figure=order.kind.selected_by,
        log=log,
        best_epoch=best_epoch(log, order.kind).epoch,
        lif_backends=sorted(set(backends_used(model).values())),
        seconds=round(time.perf_counter() - start, 1),
    )
    unfinished = state_file.with_suffix(".tmp")
    unfinished.write_bytes(msgspec.json.encode(run))
    unfinished.replace(state_file)
    return run


def _finished(state_file: Path) -> TrainedRun | None:
    """The run that an earlier call has finished, if it has."""
    if not state_file.is_file():
        return None
    try:
        return msgspec.json.decode(state_file.read_bytes(), type=TrainedRun)
    except msgspec.DecodeError:
        return None


def _fit(
    order: ModelToTrain, model: nn.Module, generator: torch.Generator, watch: EpochWatcher
) -> list[Epoch]:
    """The log. What a submitter's model raises becomes a BadSubmission."""
    data = order.task_data
    try:
        return fit(
            model,
            data.split("train"),
            data.split("validation"),
            order.recipe,
            generator,
            kind=order.kind,
            progress=watch,
        )
    except (RuntimeError, TypeError, ValueError) as error:
        if not order.code.submitted:
            raise
        raise BadSubmission(
            f"training failed: {type(error).__name__}: {error}", where=order.code.name
        ) from error


def _save(model: nn.Module, path: Path) -> None:
    # Copies, since safetensors refuses two keys of one memory, as tied weights are.
    state = {key: value.detach().cpu().contiguous().clone() for key, value in model.state_dict().items()}
    try:
        save_file(state, path)
    except SafetensorError as error:
        raise BadSubmission(
            f"the weights cannot be written: {error}", where=path.parent, fix="run the same command again"
        ) from None
