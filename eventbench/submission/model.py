"""A submitted model made from its class and configuration, and called."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from eventbench.errors import BadSubmission, EventbenchError
from eventbench.submission.user_code import ModelCode, load_code


def make_model(
    model: ModelCode | str,
    config: dict[str, Any],
    sensor: tuple[int, int],
    time_steps: int,
    classes: int,
) -> nn.Module:
    """The model, called as `Class(sensor=(width, height), time_steps=, classes=, **config)`.

    `model` is loaded already, or the name of a model of the package. Raises BadSubmission for a config key the class does not take, and for whatever the class raises.
    """
    code = load_code(model) if isinstance(model, str) else model
    parameters = inspect.signature(code.model_class.__init__).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    known = sorted(set(parameters) - {"self", "sensor", "time_steps", "classes"})
    for key in config:
        if key not in known and not takes_any:
            raise BadSubmission(
                f"model.config has {key!r}",
                where=code.name,
                allowed=", ".join(known) or "no keys: this model has no parameters",
            )
    try:
        return code.model_class(sensor=sensor, time_steps=time_steps, classes=classes, **config)
    except EventbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise BadSubmission(
            f"the model cannot be made: {type(error).__name__}: {error}",
            where=code.name,
            fix="it is called as Model(sensor=(width, height), time_steps=T, classes=K, **config)",
        ) from error


def call_model(model: nn.Module, frames: torch.Tensor, classes: int, name: str) -> torch.Tensor:
    """Scores (N, K) of frames (T, N, C, H, W), held to the contract.

    Raises BadSubmission when forward raises, returns something else, another shape, or values that are not finite.
    """
    allowed = f"a float tensor (N, K) = ({frames.shape[1]}, {classes})"
    try:
        scores = model(frames)
    except EventbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise BadSubmission(
            f"forward raised {type(error).__name__}: {error}",
            where=name,
            fix=f"it is given frames {tuple(frames.shape)}",
        ) from error
    if not isinstance(scores, torch.Tensor) or not scores.is_floating_point():
        returned = str(scores.dtype) if isinstance(scores, torch.Tensor) else type(scores).__name__
        raise BadSubmission(f"forward returned {returned}", where=name, allowed=allowed)
    if tuple(scores.shape) != (frames.shape[1], classes):
        raise BadSubmission(f"forward returned shape {tuple(scores.shape)}", where=name, allowed=allowed)
    if not scores.isfinite().all():
        bad = int((~scores.isfinite()).any(1).sum())
        raise BadSubmission(f"{bad} of {len(scores)} samples have scores that are not finite", where=name)
    return scores
