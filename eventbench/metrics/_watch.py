"""Hooks on a model: T and N of each forward, and the calls of chosen modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.utils._pytree import tree_leaves

from eventbench.errors import NotCounted
from eventbench.metrics._counters.base import Call


def module_label(name: str) -> str:
    """A module's name for a message; the submitted model is `model` of what the harness calls, and "" by itself."""
    name = "" if name == "model" else name.removeprefix("model.")
    return repr(name) if name else "the model itself"


class Watch:
    """Hooks from construction until `close`.

    `begin()` is called when a forward of `model` begins; `steps` and `samples` are then T and N of its frames.
    `before(name, module, call)` and `after(name, module, call)` are called around every call of a module in `watched`; the
    latter not where the call fails. Where one raises NotCounted, `give_up` is called with the reason, and neither is called
    any more: the forward goes on.
    """

    def __init__(
        self,
        model: nn.Module,
        watched: Mapping[str, nn.Module],
        *,
        begin: Callable[[], None] | None = None,
        before: Callable[[str, nn.Module, Call], None] | None = None,
        after: Callable[[str, nn.Module, Call], None] | None = None,
        give_up: Callable[[str], None],
    ) -> None:
        self.steps = self.samples = 0
        self._begin, self._give_up, self._given_up = begin, give_up, False
        self._handles = [model.register_forward_pre_hook(self._start, with_kwargs=True)]
        for name, module in watched.items():
            if before is not None:
                hook = partial(self._before, before, name)
                self._handles.append(module.register_forward_pre_hook(hook, with_kwargs=True))
            if after is not None:
                self._handles.append(
                    module.register_forward_hook(partial(self._after, after, name), with_kwargs=True)
                )

    def _start(self, _model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        frames = args[0] if args else next(iter(kwargs.values()), None)
        if not isinstance(frames, torch.Tensor) or frames.ndim != 5:
            self._stop("the model calls itself with something that is no frames (T, N, C, H, W)")
            return
        self.steps, self.samples = frames.shape[:2]
        if self._begin is not None:
            self._begin()

    def _before(
        self, callback: Callable[..., None], name: str, module: nn.Module, args: Any, kwargs: Any
    ) -> None:
        self._call(callback, name, module, Call(args, kwargs, None))

    def _after(
        self, callback: Callable[..., None], name: str, module: nn.Module, args: Any, kwargs: Any, output: Any
    ) -> None:
        self._call(callback, name, module, Call(args, kwargs, output))

    def _call(self, callback: Callable[..., None], name: str, module: nn.Module, call: Call) -> None:
        if self._given_up:
            return
        try:
            if any(is_functorch_wrapped_tensor(x) for x in tree_leaves(call) if isinstance(x, torch.Tensor)):
                raise NotCounted(f"{module_label(name)} runs in torch.vmap, so its samples cannot be watched")
            callback(name, module, call)
        except NotCounted as reason:
            self._stop(reason.unlocated)

    def _stop(self, reason: str) -> None:
        self._given_up = True
        self._give_up(reason)

    def close(self) -> None:
        """Remove every hook."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
