"""`RecipeTable`: the keys of a training recipe and their defaults, known without torch: what a recipe means, a board must know too."""

from __future__ import annotations

from typing import Any

import msgspec


class RecipeTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys of a recipe; `eventbench.training.recipe.Recipe` says what they do, and checks them.

    A record keeps the keys that there were when it was made. A later key has a default that does what was done before it, so a
    recipe that lacks it means the default.
    """

    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    warmup: float = 0.1
    label_smoothing: float = 0.05
    shift_px: int = 2
    patience: int = 10
    loss: str = "ce"
    augment: list[dict[str, Any]] = []
    optimizer: str = "adamw"
    momentum: float = 0.9
    schedule: str = "one_cycle_cosine"
    t_max: int = 0
    step_size: int = 30
    gamma: float = 0.1
    amp: bool = False
    amp_dtype: str = "auto"
    channels_last: bool = False
    graph: bool = False


DEFAULTS: dict[str, Any] = msgspec.to_builtins(RecipeTable())


def changed_settings(recipe: dict[str, Any]) -> dict[str, Any]:
    """The settings of a recipe that are not at their default: two recipes that have the same ones train alike."""
    return {
        key: _as_one_number(value)
        for key, value in recipe.items()
        if key not in DEFAULTS or _as_one_number(value) != _as_one_number(DEFAULTS[key])
    }


def _as_one_number(value: Any) -> Any:
    """1.0 as 1, which are written differently and are the same."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
