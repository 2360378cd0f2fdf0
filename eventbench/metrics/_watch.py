"""Hooks on a model: T and N of each forward, and the inputs and outputs of chosen modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from eventbench.errors import BadSubmission


def module_label(name: str) -> str:
    """A module's name for a message; the model itself has the name "" in `named_modules()`."""
    return repr(name) if name else "the model itself"


def _input_tensor(args: tuple[Any, ...], kwargs: dict[str, Any], where: str) -> torch.Tensor:
    """The first argument of a call. Raises BadSubmission where it is no tensor."""
    value = args[0] if args else next(iter(kwargs.values()), None)
    if not isinstance(value, torch.Tensor):
        raise BadSubmission(
            f"{where} was called with {type(value).__name__}", allowed="a tensor as its first argument"
        )
    return value


class Watch:
    """Hooks from construction until `close`.

    `begin()` is called when a forward of `model` begins; `steps` and `samples` are then T and N of its frames.
    `before(name, module, input)` and `after(name, module, input, output)` are called around every call of a module in
    `watched`; `after` is not called where the call fails.
    Raises BadSubmission, inside the forward, where the model is not called with frames (T, N, C, H, W).
    """

    def __init__(
        self,
        model: nn.Module,
        watched: Mapping[str, nn.Module],
        *,
        begin: Callable[[], None] | None = None,
        before: Callable[[str, nn.Module, torch.Tensor], None] | None = None,
        after: Callable[[str, nn.Module, torch.Tensor, Any], None] | None = None,
    ) -> None:
        self.steps = self.samples = 0
        self._begin = begin
        self._handles = [model.register_forward_pre_hook(self._start, with_kwargs=True)]
        for name, module in watched.items():
            if before is not None:
                before_hook = partial(self._before, before, name)
                self._handles.append(module.register_forward_pre_hook(before_hook, with_kwargs=True))
            if after is not None:
                after_hook = partial(self._after, after, name)
                self._handles.append(module.register_forward_hook(after_hook, with_kwargs=True))

    def _start(self, _model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        frames = _input_tensor(args, kwargs, "the model")
        if frames.ndim != 5:
            raise BadSubmission(
                f"the model was called with shape {tuple(frames.shape)}", allowed="frames (T, N, C, H, W)"
            )
        self.steps, self.samples = frames.shape[:2]
        if self._begin is not None:
            self._begin()

    @staticmethod
    def _before(
        callback: Callable[[str, nn.Module, torch.Tensor], None],
        name: str,
        module: nn.Module,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        callback(name, module, _input_tensor(args, kwargs, module_label(name)))

    @staticmethod
    def _after(
        callback: Callable[[str, nn.Module, torch.Tensor, Any], None],
        name: str,
        module: nn.Module,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        output: Any,
    ) -> None:
        callback(name, module, _input_tensor(args, kwargs, module_label(name)), output)

    def close(self) -> None:
        """Remove every hook."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
