"""`training_step`: one training step with its precision, optimizer and loss; and seeds for repeatable runs."""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.submission.model import require_scores_per_step
from eventbench.task_kinds.base import Answer
from eventbench.training.cuda_graph import GraphedStep, Step, require_cuda
from eventbench.training.losses import PER_STEP, loss_of
from eventbench.training.recipe import Recipe


def seed_everything(seed: int, device: torch.device) -> torch.Generator:
    """Seed torch, choose deterministic kernels, and return the generator that shuffles and augments the batches.

    On the CPU, the same seed, machine and number of threads give the same bits. cuDNN is set to be deterministic, but a
    few CUDA kernels have no deterministic form, so small differences between runs are possible there.
    """
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(device.type == "cpu")
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    return torch.Generator().manual_seed(seed)


def precision(recipe: Recipe, device: torch.device) -> str:
    """The dtype of matrix products and convolutions in training: "float32", or that of autocast.

    Raises BadSpec for a recipe that this device does not support: float16 without CUDA, where gradients cannot be scaled;
    a graph without CUDA, or of a step that waits for the device.
    """
    automatic = "float16" if device.type == "cuda" else "bfloat16"
    autocast_type = automatic if recipe.amp_dtype == "auto" else recipe.amp_dtype
    name = autocast_type if recipe.amp else "float32"
    if name == "float16" and device.type != "cuda":
        raise BadSpec(f"amp_dtype is float16 on {device}", where="recipe", allowed="bfloat16 here")
    if recipe.graph:
        require_cuda(device)
    if recipe.graph and (recipe.optimizer == "sgd" or name == "float16"):
        raise BadSpec(
            f"graph is true with {recipe.optimizer} in {name}",
            where="recipe",
            allowed="adam or adamw, in float32 or amp_dtype = bfloat16; others wait for the device",
        )
    return name


def _make_optimizer(model: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    # A graph reads the learning rate from a tensor, which `set_rate` can change.
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
    """One training step and its optimizer. The step takes (frames, labels) and returns float64 (2,) on the device.

    These are the loss summed over the samples, and the number of samples whose best score (the first of equal ones) is
    that of their label. Raises BadSpec as `precision` does.
    """
    dtype_name = precision(recipe, device)
    optimizer = _make_optimizer(model, recipe, device)
    scaler = torch.amp.GradScaler(device.type, enabled=dtype_name == "float16")
    # A graph casts the weights at every replay; a cached cast would be outdated.
    dtype = getattr(torch, dtype_name) if recipe.amp else None
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
    """The scores for the loss: (N, K), or (T, N, K) for a loss in PER_STEP.

    Raises BadSubmission if the loss needs scores at each step and the model has none.
    """
    if loss not in PER_STEP:
        scores: torch.Tensor = model(frames)
        return scores
    return require_scores_per_step(model, type(model).__name__, needed_by=f"loss {loss!r}").scores_per_step(
        frames
    )


def answer_of(scores: torch.Tensor, loss: str) -> Answer:
    """The answer for the scores of `training_scores`; scores at each step are averaged over T."""
    return Answer(scores.mean(0), scores) if loss in PER_STEP else Answer(scores)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the next step."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)  # in place, since a graph reads this tensor
        else:
            group["lr"] = rate
