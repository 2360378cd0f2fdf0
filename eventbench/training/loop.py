"""The training loop: seeded, with the checkpoint selected on the validation samples, without the test samples."""

from __future__ import annotations

import copy
import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from eventbench.errors import BadSubmission
from eventbench.loading.loader import Loader
from eventbench.models.protocols import FitsOnce
from eventbench.task_kinds.base import DEFAULT_KIND, TaskKind, task_kind_named
from eventbench.training.cuda_graph import Step
from eventbench.training.losses import loss_of
from eventbench.training.recipe import Recipe
from eventbench.training.step import answer_of, set_rate, training_scores, training_step


class Epoch(NamedTuple):
    """One line of the log. Quality is the figure by which the kind of task selects a checkpoint, such as the accuracy."""

    epoch: int
    learning_rate: float
    train_loss: float
    train_quality: float
    validation_loss: float
    validation_quality: float


def _ignore(epoch: Epoch) -> None:
    """The progress callback that does nothing."""


def fit(
    model: nn.Module,
    train: Loader,
    validation: Loader,
    recipe: Recipe,
    generator: torch.Generator,
    *,
    kind: TaskKind | None = None,
    progress: Callable[[Epoch], Any] = _ignore,
) -> list[Epoch]:
    """Train `model` in place, to the weights of the best validation epoch; return the log, one line per epoch.

    The best epoch is the first with the largest merit by the task's `kind` (None: a classification). A model that trains
    itself in one pass (`FitsOnce`) gets the training batches once instead. `progress` is called after each epoch. Raises
    BadSubmission if the loss is not finite, or needs scores per step that the model does not have; BadSpec for a recipe
    that this device does not support.
    """
    kind = kind or task_kind_named(DEFAULT_KIND)
    if isinstance(model, FitsOnce):
        model.fit_once(train.batches(recipe.batch_size))
        loss, quality = evaluate(model, train, recipe.batch_size, kind=kind)
        return [Epoch(1, 0.0, loss, quality, *evaluate(model, validation, recipe.batch_size, kind=kind))]
    if recipe.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = math.ceil(len(train) / recipe.batch_size)
    step, optimizer = training_step(model, recipe, train.labels.device)
    log: list[Epoch] = []
    best_merit: tuple[float, ...] = ()
    best_weights, epochs_since_best = copy.deepcopy(model.state_dict()), 0
    for number in range(1, recipe.epochs + 1):
        first_step = (number - 1) * steps
        train_figures = _train_epoch(model, train, recipe, generator, step, optimizer, first_step, steps)
        validation_figures = evaluate(model, validation, recipe.batch_size, recipe.loss, kind=kind)
        epoch = Epoch(number, recipe.rate(first_step, steps), *train_figures, *validation_figures)
        log.append(epoch)
        progress(epoch)
        merit = kind.merit(epoch.validation_quality, epoch.validation_loss)
        if not best_merit or merit > best_merit:
            best_merit, best_weights, epochs_since_best = merit, copy.deepcopy(model.state_dict()), 0
        else:
            epochs_since_best += 1
            if epochs_since_best >= recipe.patience:
                break
    model.load_state_dict(best_weights)
    return log


def best_epoch(log: list[Epoch], kind: TaskKind) -> Epoch:
    """The epoch whose weights `fit` has selected."""
    return max(log, key=lambda epoch: kind.merit(epoch.validation_quality, epoch.validation_loss))


def _train_epoch(
    model: nn.Module,
    train: Loader,
    recipe: Recipe,
    generator: torch.Generator,
    step: Step,
    optimizer: torch.optim.Optimizer,
    first_step: int,
    steps: int,
) -> tuple[float, float]:
    """Train for one pass over the training samples; return mean loss and accuracy."""
    model.train()
    # Sums stay on the device, since reading a number at each step would wait for the GPU.
    sums = torch.zeros(2, dtype=torch.float64, device=train.labels.device)
    batches = train.batches(recipe.batch_size, generator, recipe.shift_px, recipe.augmentations())
    for number, (frames, labels) in enumerate(batches, start=first_step):
        set_rate(optimizer, recipe.rate(number, steps))
        sums += step(frames, labels)
    loss_sum, hits = sums.tolist()
    if not math.isfinite(loss_sum):
        raise BadSubmission("the training loss is not a finite number", fix="lower the learning rate")
    return loss_sum / len(train), hits / len(train)


@torch.no_grad()
def evaluate(
    model: nn.Module, split: Loader, batch_size: int, loss: str = "ce", *, kind: TaskKind | None = None
) -> tuple[float, float]:
    """Mean loss and mean quality over a split, in eval mode, in float32 and without augmentation.

    Quality is defined by the `kind`; for a classification it is 1 for a right answer, 0 for a wrong one or a tie.
    """
    kind = kind or task_kind_named(DEFAULT_KIND)
    model.eval()
    sums = torch.zeros(2, dtype=torch.float64, device=split.labels.device)
    for frames, labels in split.batches(batch_size):
        scores = training_scores(model, frames, loss)
        quality = kind.quality(answer_of(scores, loss), labels).sum()
        if loss == "ce":
            loss_sum = cross_entropy(scores, labels, reduction="sum").double()
        else:
            loss_sum = loss_of(loss, scores, labels).double() * len(labels)
        sums += torch.stack([loss_sum, quality.double()])
    mean_loss, mean_quality = (sums / len(split)).tolist()
    return mean_loss, mean_quality


def write_log(log: list[Epoch], path: Path, figure: str = "accuracy") -> None:
    """Write the log as CSV, with the name of the figure in place of "quality"."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(name.replace("quality", figure) for name in Epoch._fields)
        writer.writerows(log)
