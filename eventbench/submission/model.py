"""Makes a submitted model from its class and config, and calls it under the contract of the task."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from eventbench.errors import BadSubmission, EventbenchError
from eventbench.models.protocols import ScoresPerStep
from eventbench.submission.guest_package import line_of
from eventbench.submission.user_code import ModelCode, load_code
from eventbench.task_kinds.base import DEFAULT_KIND, Answer, TaskKind, task_kind_named


def make_model(
    model: ModelCode | str,
    config: dict[str, Any],
    sensor: tuple[int, int],
    time_steps: int,
    classes: int,
) -> nn.Module:
    """The model, called as `Class(sensor=(width, height), time_steps=, classes=, **config)`.

    `model` is loaded code, or the name of a model of the package. Raises BadSubmission for a config key that the class
    does not take, and for any exception of the class.
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
        made = code.model_class(sensor=sensor, time_steps=time_steps, classes=classes, **config)
    except EventbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise BadSubmission(
            f"the model cannot be made: {type(error).__name__}: {error}{line_of(error)}",
            where=code.name,
            fix="it is called as Model(sensor=(width, height), time_steps=T, classes=K, **config)",
        ) from error
    _refuse_lazy(made, code.name)
    return made


def _refuse_lazy(model: nn.Module, name: str) -> None:
    """Raises BadSubmission for layers whose weights have no shape before the first call: a file cannot fill them."""
    for layer, module in model.named_modules():
        lazy = (*module.parameters(recurse=False), *module.buffers(recurse=False))
        if any(is_lazy(tensor) for tensor in lazy):
            raise BadSubmission(
                f"{layer or 'the model'} is a {type(module).__name__}: its weights have no shape until it is called",
                where=name,
                fix="give the layer its sizes; sensor, time_steps and classes are passed to the class for that",
            )


def call_model(
    model: nn.Module,
    frames: torch.Tensor,
    classes: int,
    name: str,
    kind: TaskKind | None = None,
    *,
    with_steps: bool = False,
) -> Answer:
    """The answer of a model for frames (T, N, C, H, W), checked against the contract of a `kind` of task.

    `kind` None is a classification. `with_steps` also returns the scores at each step. Raises BadSubmission if the model
    raises, returns what the kind of task does not allow, or has no scores at each step.
    """
    kind = kind or task_kind_named(DEFAULT_KIND)
    returned = _call(model, frames, "forward", name)
    scores = kind.checked_scores(returned, samples=frames.shape[1], classes=classes, where=name)
    if not with_steps:
        return Answer(scores)
    steps_model = require_scores_per_step(model, name, needed_by="a metric")
    return Answer(scores, call_scores_per_step(steps_model, frames, scores, name, kind))


def require_scores_per_step(model: nn.Module, name: str, *, needed_by: str) -> ScoresPerStep:
    """The model. Raises BadSubmission if it has no scores at each step, which `needed_by` needs."""
    if not isinstance(model, ScoresPerStep):
        raise BadSubmission(
            f"{needed_by} needs scores at each step, which the model does not have",
            where=name,
            fix="give it scores_per_step(frames) -> (T, N, K), whose mean over T is what forward returns",
        )
    return model


def call_scores_per_step(
    model: ScoresPerStep, frames: torch.Tensor, scores: torch.Tensor, name: str, kind: TaskKind
) -> torch.Tensor:
    """Scores at each step (T, N, K), checked against the contract; `scores` (N, K) are what `forward` returned."""
    return kind.checked_steps(
        _call(model.scores_per_step, frames, "scores_per_step", name), scores, where=name
    )


def _call(function: Callable[[torch.Tensor], object], frames: torch.Tensor, method: str, name: str) -> object:
    """The result of a method of a submitted model; any exception becomes a BadSubmission."""
    try:
        return function(frames)
    except EventbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise BadSubmission(
            f"{method} raised {type(error).__name__}: {error}{line_of(error)}",
            where=name,
            fix=f"it is called with frames {tuple(frames.shape)}",
        ) from error
