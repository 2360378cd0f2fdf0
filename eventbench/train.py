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

from eventbench.errors import BadSpec, BadSubmission
from eventbench.graphed import GraphedStep, Step
from eventbench.losses import PER_STEP, loss_of
from eventbench.metrics.accuracy import predicted
from eventbench.recipe import Recipe
from eventbench.resident import SampleSplit

__all__ = [
    "Epoch",
    "Recipe",
    "evaluate",
    "fit",
    "precision",
    "seed_everything",
    "set_rate",
    "training_step",
    "write_log",
]


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


def precision(recipe: Recipe, device: torch.device) -> str:
    """The type that matrix products and convolutions are trained in: "float32", or that of autocast.

    Raises BadSpec for a recipe that this device cannot follow: float16 off CUDA, where gradients cannot be scaled, and a
    graph off CUDA or of what waits for the device.
    """
    kept = (
        {"cuda": "float16"}.get(device.type, "bfloat16") if recipe.amp_dtype == "auto" else recipe.amp_dtype
    )
    name = kept if recipe.amp else "float32"
    if name == "float16" and device.type != "cuda":
        raise BadSpec(f"amp_dtype is float16 on {device}", where="recipe", allowed="bfloat16 here")
    if recipe.graph and device.type != "cuda":
        raise BadSpec(f"graph is true on {device}", where="recipe", allowed="graph = true on CUDA only")
    if recipe.graph and (recipe.optimizer == "sgd" or name == "float16"):
        raise BadSpec(
            f"graph is true with {recipe.optimizer} in {name}",
            where="recipe",
            allowed="adam or adamw, in float32 or amp_dtype = bfloat16: what else there is waits for the device",
        )
    return name


def fit(
    model: nn.Module,
    train: SampleSplit,
    validation: SampleSplit,
    recipe: Recipe,
    generator: torch.Generator,
    *,
    progress: Callable[[Epoch], Any] = lambda epoch: None,
) -> list[Epoch]:
    """Train `model` in place and leave it with the weights of the best validation epoch; the log, a line an epoch.

    A model with a `fit(batches)` of its own (`event_count`) is given the training batches once and nothing else.
    Raises BadSubmission when the loss is no finite number or needs scores per step that the model does not offer, BadSpec
    for a recipe that cannot be followed on this device.
    """
    if callable(own := getattr(model, "fit", None)):
        own(train.batches(recipe.batch_size))
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


def _optimiser(model: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    rate: Any = torch.tensor(recipe.learning_rate, device=device) if recipe.graph else recipe.learning_rate
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            model.parameters(), rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(model.parameters(), rate, weight_decay=recipe.weight_decay, capturable=recipe.graph)


def training_step(
    model: nn.Module, recipe: Recipe, device: torch.device
) -> tuple[Step, torch.optim.Optimizer]:
    """One training step, (frames, labels) -> float64 (loss summed over the samples, hits) on the device; its optimizer."""
    trained_in = precision(recipe, device)
    optimiser = _optimiser(model, recipe, device)
    scaler = torch.amp.GradScaler(device.type, enabled=trained_in == "float16")
    # A graph casts its weights at every replay; a cast kept from before would be an old one.
    dtype = getattr(torch, trained_in) if recipe.amp else None
    cast = torch.autocast(device.type, dtype, enabled=recipe.amp, cache_enabled=not recipe.graph)

    def step(frames: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with cast:
            told = _told(model, frames, recipe.loss)
        if recipe.amp:
            told = told.float()
        loss = loss_of(recipe.loss, told, labels, recipe.label_smoothing)
        optimiser.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()
        with torch.no_grad():
            scores = told.mean(0) if recipe.loss in PER_STEP else told
            hits = (scores.argmax(1) == (labels if labels.ndim == 1 else labels.argmax(1))).sum()
            return torch.stack([loss.double() * len(labels), hits.double()])

    return (GraphedStep(step, optimiser, device) if recipe.graph else step), optimiser


def _told(model: nn.Module, frames: torch.Tensor, loss: str) -> torch.Tensor:
    """Scores (N, K), or (T, N, K) where the loss is one of every step's."""
    if loss not in PER_STEP:
        return model(frames)
    per_step = getattr(model, "scores_per_step", None)
    if not callable(per_step):
        raise BadSubmission(
            f"loss {loss!r} needs the scores of every step",
            where=type(model).__name__,
            fix="give the model scores_per_step(frames) -> (T, N, K), whose mean over T is what forward returns",
        )
    return per_step(frames)


def _train_epoch(
    model: nn.Module,
    train: SampleSplit,
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


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)  # in place: a graph reads it from there
        else:
            group["lr"] = rate


@torch.no_grad()
def evaluate(model: nn.Module, split: SampleSplit, batch_size: int, loss: str = "ce") -> tuple[float, float]:
    """Mean loss and accuracy over a split, in eval mode, float32 and without augmentation; a tie is an error."""
    model.eval()
    total = torch.zeros(2, dtype=torch.float64, device=split.labels.device)
    for frames, labels in split.batches(batch_size):
        told = _told(model, frames, loss)
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
