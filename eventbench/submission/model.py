"""A submitted model made from its class and configuration, and called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from eventbench.errors import BadSubmission, EventbenchError
from eventbench.models.protocols import ScoresPerStep
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


def call_model(
    model: nn.Module,
    frames: torch.Tensor,
    classes: int,
    name: str,
    kind: TaskKind | None = None,
    *,
    with_steps: bool = False,
) -> Answer:
    """What a model answers for frames (T, N, C, H, W), held to the contract of a `kind` of task, else a classification.

    `with_steps` asks for the scores of each step as well. Raises BadSubmission when the model raises, returns what its
    kind of task does not allow, or has no scores of each step.
    """
    kind = kind or task_kind_named(DEFAULT_KIND)
    returned = _call(model, frames, "forward", name)
    scores = kind.checked_scores(returned, samples=frames.shape[1], classes=classes, where=name)
    if not with_steps:
        return Answer(scores)
    if not isinstance(model, ScoresPerStep):
        raise BadSubmission(
            "the model has no scores of each step",
            where=name,
            fix="give it scores_per_step(frames) -> (T, N, K), whose mean over T is what forward returns",
        )
    return Answer(scores, call_scores_per_step(model, frames, scores, name, kind))


def call_scores_per_step(
    model: ScoresPerStep, frames: torch.Tensor, scores: torch.Tensor, name: str, kind: TaskKind
) -> torch.Tensor:
    """Scores of each step (T, N, K) of frames whose `scores` (N, K) the model returned, held to the same contract."""
    return kind.checked_steps(
        _call(model.scores_per_step, frames, "scores_per_step", name), scores, where=name
    )


def _call(function: Callable[[torch.Tensor], object], frames: torch.Tensor, method: str, name: str) -> object:
    """What a method of a submitted model returns; whatever it raises is a BadSubmission."""
    try:
        return function(frames)
    except EventbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise BadSubmission(
            f"{method} raised {type(error).__name__}: {error}",
            where=name,
            fix=f"it is given frames {tuple(frames.shape)}",
        ) from error
