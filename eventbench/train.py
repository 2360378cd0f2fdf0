"""One readable training loop: seeded, selected on validation, the test split never touched."""

from __future__ import annotations

import copy
import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from eventbench.errors import BadSubmission
from eventbench.metrics.accuracy import predicted
from eventbench.resident import ResidentSplit


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a network is trained: AdamW, one-cycle cosine rate with a linear warm-up, cross-entropy of the scores.

    `shift_px` moves each training sample by up to so many pixels. Training stops after `patience` epochs without a
    better validation accuracy (or an equal one with a lower loss), and the best epoch's weights are kept.
    """

    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    warmup: float = 0.1
    label_smoothing: float = 0.05
    shift_px: int = 2
    patience: int = 10


class Epoch(NamedTuple):
    """A line of the log."""

    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


def seed_everything(seed: int, device: torch.device) -> torch.Generator:
    """Seed torch, ask for deterministic kernels, and give the generator that orders and augments the batches.

    On the CPU the same seed, machine and number of threads give the same bits. cuDNN is told to be deterministic;
    a few CUDA kernels have no such form, so there a small difference between runs remains possible.
    """
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(device.type == "cpu")
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    return torch.Generator().manual_seed(seed)


def fit(
    model: nn.Module,
    train: ResidentSplit,
    validation: ResidentSplit,
    recipe: Recipe,
    generator: torch.Generator,
    *,
    progress: Callable[[Epoch], Any] = lambda epoch: None,
) -> list[Epoch]:
    """Train `model` in place and leave it with the weights of the best validation epoch; the log, a line an epoch.

    A model with a `fit(batches)` of its own (`event_count`) is given the training batches once and nothing else.
    Raises BadSubmission when the loss is no finite number.
    """
    if callable(own := getattr(model, "fit", None)):
        own(train.batches(recipe.batch_size))
        loss, accuracy = evaluate(model, train, recipe.batch_size)
        return [Epoch(1, 0.0, loss, accuracy, *evaluate(model, validation, recipe.batch_size))]
    steps = math.ceil(len(train) / recipe.batch_size) * recipe.epochs
    optimiser = torch.optim.AdamW(model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / steps, recipe.warmup))
    log: list[Epoch] = []
    best, best_weights, since = (-1.0, -math.inf), copy.deepcopy(model.state_dict()), 0
    for number in range(1, recipe.epochs + 1):
        rate = optimiser.param_groups[0]["lr"]
        trained = _train_epoch(model, train, recipe, generator, optimiser, schedule)
        epoch = Epoch(number, rate, *trained, *evaluate(model, validation, recipe.batch_size))
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


def _rate(done: float, warmup: float) -> float:
    """The share of the full learning rate after a share `done` of all steps."""
    if done < warmup:
        return max(done, 1e-3) / warmup
    return 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))


def _train_epoch(  # type: ignore[no-untyped-def]
    model: nn.Module, train: ResidentSplit, recipe: Recipe, generator: torch.Generator, optimiser, schedule
) -> tuple[float, float]:
    model.train()
    # Sums stay on the device: asking for a number at each step would wait for the GPU.
    total = torch.zeros(2, dtype=torch.float64, device=train.labels.device)
    for frames, labels in train.batches(recipe.batch_size, generator, recipe.shift_px):
        scores = model(frames)
        loss = cross_entropy(scores, labels, label_smoothing=recipe.label_smoothing)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            hits = (scores.argmax(1) == labels).sum()
            total += torch.stack([loss.double() * len(labels), hits.double()])
    loss_sum, hit_sum = total.tolist()
    if not math.isfinite(loss_sum):
        raise BadSubmission("the training loss is no finite number", fix="lower the learning rate")
    return loss_sum / len(train), hit_sum / len(train)


@torch.no_grad()
def evaluate(model: nn.Module, split: ResidentSplit, batch_size: int) -> tuple[float, float]:
    """Mean cross-entropy and accuracy over a split, in eval mode and without augmentation; a tie is an error."""
    model.eval()
    total = torch.zeros(2, dtype=torch.float64, device=split.labels.device)
    for frames, labels in split.batches(batch_size):
        scores = model(frames)
        hits = (predicted(scores) == labels).sum()
        total += torch.stack([cross_entropy(scores, labels, reduction="sum").double(), hits.double()])
    loss, hits = (total / len(split)).tolist()
    return loss, hits


def write_log(log: list[Epoch], path: Path) -> None:
    """The log as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Epoch._fields)
        writer.writerows(log)
