"""`Recipe`: how a network is trained, as one frozen struct or one TOML file, checked before training starts."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from eventbench import registry
from eventbench.augmentations.base import Augmentation
from eventbench.errors import BadSpec, EventbenchError, UnknownName
from eventbench.home import PACKAGE
from eventbench.specs.base import explain
from eventbench.specs.recipe import RecipeTable
from eventbench.training.losses import LOSSES

SHIPPED = PACKAGE / "models" / "recipes"

OPTIMIZERS = ("adamw", "adam", "sgd")
SCHEDULES = ("one_cycle_cosine", "cosine", "step")
AMP_TYPES = ("auto", "bfloat16", "float16")
KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "str": ((str,), "a name"),
    "bool": ((bool,), "true, false"),
}
# Every recipe file has to state these.
REQUIRED_KEYS = ("optimizer", "learning_rate", "schedule", "epochs", "batch_size", "loss")


class Recipe(RecipeTable, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a network is trained; by default AdamW, a one-cycle cosine rate with a linear warm-up, cross-entropy.

    `shift_px` is the largest shift of a training sample in pixels. Training stops after `patience` epochs without a
    better validation accuracy (or an equal one with a lower loss), and the weights of the best epoch are selected.

    Parameters
    ----------
    warmup : share of all steps during which "one_cycle_cosine" rises to the full rate
    label_smoothing : for the loss "ce" only
    loss : "ce"; "rate_mse", squared error of rates; "per_step_ce" and "tet", which need a model with
        `scores_per_step(frames) -> (T, N, K)`, whose mean over T are the scores. Also used as the validation loss
    augment : tables of eventbench.augmentations, as {name = "nda", roll_px = 5}, applied in turn, to training batches only
    optimizer : "adamw", "adam" (its weight decay is an L2 term), or "sgd" with `momentum`
    schedule : "one_cycle_cosine", updated at each step; "cosine", 0.5 (1 + cos(pi epoch / t_max)), rising again after `t_max`
        epochs (0: as many as `epochs`); "step", gamma ** (epoch // step_size)
    amp : train under torch.autocast in `amp_dtype`: "auto" is float16 on CUDA and bfloat16 on the CPU. With float16,
        gradients are scaled. Evaluation is always in float32
    channels_last : store the convolutions' weights channels last
    graph : replay the training step as a CUDA graph; only on CUDA, with "adam" or "adamw" and not in float16
    """

    def __post_init__(self) -> None:
        self._check_types()
        choices = {"loss": LOSSES, "optimizer": OPTIMIZERS, "schedule": SCHEDULES, "amp_dtype": AMP_TYPES}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise UnknownName(name, str(getattr(self, name)), known, where="recipe")
        minimums = {"epochs": 1, "batch_size": 1, "patience": 1, "step_size": 1, "shift_px": 0, "t_max": 0}
        minimums |= {"weight_decay": 0, "learning_rate": 0, "momentum": 0, "gamma": 0}
        for name, minimum in minimums.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= minimum):
                raise BadSpec(f"{name} is {value!r}", where="recipe", allowed=f"{minimum} or more")
        for name in ("warmup", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise BadSpec(f"{name} is {getattr(self, name)!r}", where="recipe", allowed="0 to below 1")
        self.augmentations()

    def _check_types(self) -> None:
        """Check the types of a recipe made in Python, as msgspec does for a TOML file."""
        for name, kind in RecipeTable.__annotations__.items():
            value = getattr(self, name)
            if kind in KINDS:
                types, allowed = KINDS[kind]
                valid = isinstance(value, types) and (kind == "bool" or not isinstance(value, bool))
            else:
                valid = isinstance(value, list | tuple) and all(isinstance(table, dict) for table in value)
                allowed = "a list of tables, each with a name"
            if not valid:
                raise BadSpec(f"{name} is {value!r}", where="recipe", allowed=allowed)

    def augmentations(self) -> list[Augmentation]:
        """The augmentations of `augment`. Raises BadSpec or UnknownName if one cannot be made."""
        return [registry.augmentations.build(table, where="recipe") for table in self.augment]

    def as_table(self) -> dict[str, Any]:
        """All keys, as `[training]` of a submission has them; augmentations without parameters at their default."""
        table: dict[str, Any] = msgspec.to_builtins(self)
        for change, stated in zip(self.augmentations(), table["augment"], strict=True):
            for field in msgspec.structs.fields(change):
                if stated.get(field.name, msgspec.NODEFAULT) == field.default:
                    del stated[field.name]
        return table

    def rate(self, step: int, steps_per_epoch: int) -> float:
        """The learning rate of training step number `step`, counted from 0 over all epochs."""
        epoch = step // steps_per_epoch
        if self.schedule == "step":
            return self.learning_rate * self.gamma ** (epoch // self.step_size)
        if self.schedule == "cosine":
            return self.learning_rate * 0.5 * (1 + math.cos(math.pi * epoch / (self.t_max or self.epochs)))
        progress = step / (steps_per_epoch * self.epochs)
        if progress < self.warmup:
            return self.learning_rate * (max(progress, 1e-3) / self.warmup)
        return self.learning_rate * (
            0.5 * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup)))
        )


def shipped() -> dict[str, Path]:
    """The recipes that come with the package, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def recipe_named(name: str) -> Recipe:
    """The recipe of a TOML file, or the shipped recipe of that name.

    A file has to state `REQUIRED_KEYS`. The defaults of the other keys are off, unlike those of `Recipe`: no weight
    decay, label smoothing, shift or warm-up, and no stop before the last epoch. An [about] table is ignored.
    """
    path = Path(name).expanduser()
    if not name.endswith(".toml"):
        if name not in (known := shipped()):
            raise UnknownName("recipe", name, known)
        path = known[name]
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSpec(f"not valid TOML: {error}", where=path.name) from None
    except OSError as error:
        raise BadSpec(f"cannot be read: {error.strerror}", where=path) from None
    table.pop("about", None)
    if missing := [key for key in REQUIRED_KEYS if key not in table]:
        raise BadSpec(f"{', '.join(missing)} is missing", where=path.name, allowed=", ".join(REQUIRED_KEYS))
    if table.get("label_smoothing") and table["loss"] != "ce":
        raise BadSpec(
            f"label_smoothing is {table['label_smoothing']!r} with loss {table['loss']!r}",
            where=path.name,
            allowed='label_smoothing with loss = "ce" only',
        )
    defaults = {"weight_decay": 0.0, "label_smoothing": 0.0, "shift_px": 0, "warmup": 0.0}
    try:
        return msgspec.convert(defaults | {"patience": table["epochs"]} | table, Recipe)
    except msgspec.ValidationError as error:
        raise BadSpec(explain(error, Recipe), where=path.name) from None
    except EventbenchError as error:
        raise error.as_kind(BadSpec, where=f"{path.name}: {error.where}") from None
