"""Hooks on a model: when a forward begins and how large it is, and what goes into and out of chosen modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from eventbench.errors import BadSubmission


def described(name: str) -> str:
    """The name of a module in a message; the model itself has none in `named_modules()`."""
    return repr(name) if name else "the model itself"


def _first(args: tuple[Any, ...], kwargs: dict[str, Any], where: str) -> torch.Tensor:
    value = args[0] if args else next(iter(kwargs.values()), None)
    if not isinstance(value, torch.Tensor):
        raise BadSubmission(
            f"{where} was called with {type(value).__name__}", allowed="a tensor as its first argument"
        )
    return value


class Watch:
    """Hooks from construction until `close`.

    `begin()` is called as a forward of `model` begins, when `steps` and `samples` are T and N of its frames;
    `before(name, module, input)` and `after(name, module, input, output)` around every call of a module in
    `watched`; a call that fails has no after.
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
                hook = partial(self._before, before, name)
                self._handles.append(module.register_forward_pre_hook(hook, with_kwargs=True))
            if after is not None:
                behind = partial(self._after, after, name)
                self._handles.append(module.register_forward_hook(behind, with_kwargs=True))

    def _start(self, _model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        frames = _first(args, kwargs, "the model")
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
        callback(name, module, _first(args, kwargs, described(name)))

    @staticmethod
    def _after(
        callback: Callable[[str, nn.Module, torch.Tensor, Any], None],
        name: str,
        module: nn.Module,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        output: Any,
    ) -> None:
        callback(name, module, _first(args, kwargs, described(name)), output)

    def close(self) -> None:
        """Take every hook off."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
