"""Find spikes that are made outside all modules that say whether they fire, in the forward of a model for instance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from eventbench.metrics._libraries import fires

COMPARISONS = frozenset(("gt", "ge", "lt", "le"))


class _Thresholds(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Reports each comparison of real numbers, other than the frames themselves, that becomes zeros and ones of each sample."""

    def __init__(self, frames: torch.Tensor, report: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._report, self._samples = report, frames.shape[1]
        self._frames = frames.untyped_storage().data_ptr()
        self._compared: dict[int, torch.Tensor] = {}  # results by id, kept so that no other gets it

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, output = func.overloadpacket.__name__, func(*args, **(kwargs or {}))
        first = args[0] if args and isinstance(args[0], torch.Tensor) else None
        if first is None or not isinstance(output, torch.Tensor):
            return output
        if name in COMPARISONS and first.is_floating_point():
            if first.untyped_storage().data_ptr() != self._frames:
                self._compared[id(output)] = output
        elif name == "heaviside" or (id(first) in self._compared and name in ("_to_copy", "where")):
            self._look_at(output)
        return output

    def _look_at(self, output: torch.Tensor) -> None:
        leading = output.shape[:2]
        if not output.is_floating_point() or not any(axis and axis % self._samples == 0 for axis in leading):
            return
        ones = output == 1
        if bool(ones.any()) and bool((ones | (output == 0)).all()):
            self._report()


@contextmanager
def _running(model: nn.Module) -> Iterator[list[tuple[str, nn.Module]]]:
    """A list of the modules that are running, outermost first."""
    inside: list[tuple[str, nn.Module]] = []

    def enter(name: str, module: nn.Module, _args: Any) -> None:
        inside.append((name, module))

    def leave(_module: nn.Module, _args: Any, _output: Any) -> None:
        inside.pop()

    handles: list[Any] = []
    try:
        for name, module in model.named_modules():
            if not isinstance(module, torch.jit.ScriptModule):
                handles.append(module.register_forward_pre_hook(partial(enter, name), prepend=True))
                handles.append(module.register_forward_hook(leave))
        yield inside
    finally:
        for handle in handles:
            handle.remove()


def makes_spikes_unsaid(model: nn.Module, frames: torch.Tensor) -> str | None:
    """Run `model` on frames (T, N, C, H, W): the name of the module that makes spikes and does not say so; None without one."""
    found: list[str] = []
    with torch.no_grad(), _running(model) as inside:

        def report() -> None:
            if not any(fires(module) or getattr(module, "spiking", None) is False for _, module in inside):
                found.append(inside[-1][0] if inside else "")

        with _Thresholds(frames, report):
            model(frames)
    return found[0] if found else None
