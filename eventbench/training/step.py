"""One training step: its precision, its optimizer and its loss; seeds with which it repeats."""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import BadSpec, BadSubmission
from eventbench.models.protocols import ScoresPerStep
from eventbench.task_kinds.base import Answer
from eventbench.training.cuda_graph import GraphedStep, Step
from eventbench.training.losses import PER_STEP, loss_of
from eventbench.training.recipe import Recipe


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
    automatic = "float16" if device.type == "cuda" else "bfloat16"
    autocast_type = automatic if recipe.amp_dtype == "auto" else recipe.amp_dtype
    name = autocast_type if recipe.amp else "float32"
    if name == "float16" and device.type != "cuda":
        raise BadSpec(f"amp_dtype is float16 on {device}", where="recipe", allowed="bfloat16 here")
    if recipe.graph and device.type != "cuda":
        raise BadSpec(f"graph is true on {device}", where="recipe", allowed="graph = true on CUDA only")
    if recipe.graph and (recipe.optimizer == "sgd" or name == "float16"):
        raise BadSpec(
            f"graph is true with {recipe.optimizer} in {name}",
            where="recipe",
            allowed="adam or adamw, in float32 or amp_dtype = bfloat16: all else waits for the device",
        )
    return name


def _make_optimizer(model: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    # A graph reads the rate from memory, where `set_rate` can change it.
    rate = torch.tensor(recipe.learning_rate, device=device) if recipe.graph else recipe.learning_rate
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            model.parameters(), rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(model.parameters(), rate, weight_decay=recipe.weight_decay, capturable=recipe.graph)


def training_step(
    model: nn.Module, recipe: Recipe, device: torch.device
) -> tuple[Step, torch.optim.Optimizer]:
    """One training step and its optimizer. The step takes (frames, labels), and returns float64 (2,) on the device.

    Its values are the loss summed over the samples, and how many have their label's class as the one with the best
    score (the first of several). Raises BadSpec as `precision` does.
    """
    trained_in = precision(recipe, device)
    optimizer = _make_optimizer(model, recipe, device)
    scaler = torch.amp.GradScaler(device.type, enabled=trained_in == "float16")
    # A graph casts its weights at every replay; a cast kept from before would be an old one.
    dtype = getattr(torch, trained_in) if recipe.amp else None
    cast = torch.autocast(device.type, dtype, enabled=recipe.amp, cache_enabled=not recipe.graph)

    def step(frames: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with cast:
            scores = training_scores(model, frames, recipe.loss)
        if recipe.amp:
            scores = scores.float()
        loss = loss_of(recipe.loss, scores, labels, recipe.label_smoothing)
        optimizer.zero_grad()
        torch.autograd.backward(scaler.scale(loss))
        scaler.step(optimizer)
        scaler.update()
        with torch.no_grad():
            hits = (
                answer_of(scores, recipe.loss).scores.argmax(1)
                == (labels if labels.ndim == 1 else labels.argmax(1))
            ).sum()
            return torch.stack([loss.double() * len(labels), hits.double()])

    return (GraphedStep(step, optimizer, device) if recipe.graph else step), optimizer


def training_scores(model: nn.Module, frames: torch.Tensor, loss: str) -> torch.Tensor:
    """What the loss is taken of: scores (N, K), or (T, N, K) for a loss in PER_STEP.

    Raises BadSubmission for a model that has no scores of each step where they are needed.
    """
    if loss not in PER_STEP:
        scores: torch.Tensor = model(frames)
        return scores
    if not isinstance(model, ScoresPerStep):
        raise BadSubmission(
            f"loss {loss!r} needs the scores of every step",
            where=type(model).__name__,
            fix="give the model scores_per_step(frames) -> (T, N, K), whose mean over T is what forward returns",
        )
    return model.scores_per_step(frames)


def answer_of(scores: torch.Tensor, loss: str) -> Answer:
    """The answer that `training_scores` belong to: scores of each step are averaged over T."""
    return Answer(scores.mean(0), scores) if loss in PER_STEP else Answer(scores)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the next step."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)  # in place: a graph reads it from there
        else:
            group["lr"] = rate
