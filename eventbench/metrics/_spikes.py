"""Modules that fire and do not say so, found by running the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from eventbench.errors import NotCounted
from eventbench.metrics._counters.base import Call
from eventbench.metrics._libraries import fires
from eventbench.metrics._unsaid import makes_spikes_unsaid
from eventbench.metrics._watch import Watch, module_label


def first_tensor(value: Any) -> torch.Tensor | None:
    """A tensor, or the first of several; None for anything else."""
    first = value[0] if isinstance(value, tuple | list) and value else value
    return first if isinstance(first, torch.Tensor) else None


def give_up_on_undeclared_spikes(
    model: nn.Module, frames: torch.Tensor, layers: Iterable[str], give_up: Callable[[str], None]
) -> None:
    """Run frames (T, N, C, H, W); `give_up` says which module outside the named layers fires and declares nothing."""
    reasons: list[str] = []
    known = list(layers)
    others = {
        name: module
        for name, module in model.named_modules()
        if not any(name == layer or name.startswith(f"{layer}.") for layer in known)
        and not isinstance(module, torch.jit.ScriptModule)
        and getattr(module, "spiking", None) is not False
        and not any(fires(inner) for inner in module.modules())
    }
    watch = Watch(model, others, after=_refuse_undeclared, give_up=reasons.append)
    try:
        with torch.no_grad():
            model(frames)
    finally:
        watch.close()
    if not reasons and (name := makes_spikes_unsaid(model, frames)) is not None:
        reasons.append(
            f"{module_label(name)} turns other values into 0 and 1 outside any layer that says whether these are spikes; "
            "put neurons into a module with spiking = True; what is none goes into one with spiking = False"
        )
    for reason in reasons[:1]:
        give_up(reason)


def _refuse_undeclared(name: str, module: nn.Module, call: Call) -> None:
    spikes, x = first_tensor(call.output), first_tensor(call.args)
    if spikes is None or x is None or not spikes.is_floating_point() or spikes.numel() < 2:
        return
    binary = bool(((spikes == 0) | (spikes == 1)).all())
    if binary and bool((spikes == 1).any()) and not bool(((x == 0) | (x.abs() == 1)).all()):
        raise NotCounted(
            f"{module_label(name)} ({type(module).__name__}) turns other values into 0 and 1 and does not say whether "
            "it is a layer of neurons",
            fix="set spiking = True on its class, or spiking = False",
        )
