"""One readable training loop: seeded, selected on validation, the test split never touched."""

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
from eventbench.task_kinds.classification import predicted
from eventbench.training.cuda_graph import Step
from eventbench.training.losses import PER_STEP, loss_of
from eventbench.training.recipe import Recipe
from eventbench.training.step import set_rate, training_scores, training_step


class Epoch(NamedTuple):
    """A line of the log."""

    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


def fit(
    model: nn.Module,
    train: Loader,
    validation: Loader,
    recipe: Recipe,
    generator: torch.Generator,
    *,
    progress: Callable[[Epoch], Any] = lambda epoch: None,
) -> list[Epoch]:
    """Train `model` in place and leave it with the weights of the best validation epoch; the log, a line an epoch.

    A model that trains itself (`models.protocols.FitsOnce`, as `event_count` does) is given the training batches once and
    nothing else.
    Raises BadSubmission when the loss is no finite number or needs scores per step that the model does not offer, BadSpec
    for a recipe that cannot be followed on this device.
    """
    if isinstance(model, FitsOnce):
        model.fit_once(train.batches(recipe.batch_size))
        loss, accuracy = evaluate(model, train, recipe.batch_size)
        return [Epoch(1, 0.0, loss, accuracy, *evaluate(model, validation, recipe.batch_size))]
    if recipe.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = math.ceil(len(train) / recipe.batch_size)
    step, optimiser = training_step(model, recipe, train.labels.device)
    log: list[Epoch] = []
    best, best_weights, since = (-1.0, -math.inf), copy.deepcopy(model.state_dict()), 0
    for number in range(1, recipe.epochs + 1):
        first = (number - 1) * steps
        trained = _train_epoch(model, train, recipe, generator, step, optimiser, first, steps)
        checked = evaluate(model, validation, recipe.batch_size, recipe.loss)
        epoch = Epoch(number, recipe.rate(first, steps), *trained, *checked)
        log.append(epoch)
        progress(epoch)
        merit = (epoch.validation_accuracy, -epoch.validation_loss)
        if merit > best:
            best, best_weights, since = merit, copy.deepcopy(model.state_dict()), 0
        else:
            since += 1
            if since >= recipe.patience:
                break
    model.load_state_dict(best_weights)
    return log


def _train_epoch(
    model: nn.Module,
    train: Loader,
    recipe: Recipe,
    generator: torch.Generator,
    step: Step,
    optimiser: torch.optim.Optimizer,
    first: int,
    steps: int,
) -> tuple[float, float]:
    model.train()
    # Sums stay on the device: asking for a number at each step would wait for the GPU.
    total = torch.zeros(2, dtype=torch.float64, device=train.labels.device)
    batches = train.batches(recipe.batch_size, generator, recipe.shift_px, recipe.augmentations())
    for number, (frames, labels) in enumerate(batches, start=first):
        set_rate(optimiser, recipe.rate(number, steps))
        total += step(frames, labels)
    loss_sum, hit_sum = total.tolist()
    if not math.isfinite(loss_sum):
        raise BadSubmission("the training loss is no finite number", fix="lower the learning rate")
    return loss_sum / len(train), hit_sum / len(train)


@torch.no_grad()
def evaluate(model: nn.Module, split: Loader, batch_size: int, loss: str = "ce") -> tuple[float, float]:
    """Mean loss and accuracy over a split, in eval mode, float32 and without augmentation; a tie is an error."""
    model.eval()
    total = torch.zeros(2, dtype=torch.float64, device=split.labels.device)
    for frames, labels in split.batches(batch_size):
        told = training_scores(model, frames, loss)
        hits = (predicted(told.mean(0) if loss in PER_STEP else told) == labels).sum()
        if loss == "ce":
            summed = cross_entropy(told, labels, reduction="sum").double()
        else:
            summed = loss_of(loss, told, labels).double() * len(labels)
        total += torch.stack([summed, hits.double()])
    mean, hits = (total / len(split)).tolist()
    return mean, hits


def write_log(log: list[Epoch], path: Path) -> None:
    """The log as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Epoch._fields)
        writer.writerows(log)
