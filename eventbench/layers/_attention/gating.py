"""TCJA and PFA as one differentiable operation: one backward pass for the means, the gate and its product with the input.

Autograd keeps and rewrites a map of the input's size for every step of a gate's arithmetic. Here only the input and
the gate's small factors are kept; maps are made a time step at a time and dropped. The small part, from the means to
the factors, keeps autograd's own graph. Under torch.compile the plain arithmetic is used, which the compiler fuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from eventbench.errors import BadSpec

HALF = (torch.float16, torch.bfloat16)
Tensors = tuple[torch.Tensor, ...]
InputGradient = Callable[[Tensors], torch.Tensor]


class Gating(Protocol):
    """The parts of a layer that `gated` runs it by, none of which has to care for autograd."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """The weights of the layer."""

    def means(self, x: torch.Tensor) -> Tensors:
        """The small means of x that the gate is made from."""

    def factors_of(self, means: Tensors) -> Tensors:
        """The small factors of the gate."""

    def apply_factors(self, x: torch.Tensor, factors: Tensors) -> torch.Tensor:
        """The output."""

    def gradients(
        self, x: torch.Tensor, grad_output: torch.Tensor, factors: Tensors
    ) -> tuple[Tensors, InputGradient]:
        """The gradients of the factors, and a function that makes the gradient of x from those of the means."""


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, layer: Gating, *parameters: torch.Tensor) -> torch.Tensor:
        with without_autocast(x):
            means = tuple(mean.requires_grad_(ctx.needs_input_grad[0]) for mean in layer.means(x))
            with torch.enable_grad():
                factors = layer.factors_of(means)
            ctx.save_for_backward(x)
            ctx.layer, ctx.means, ctx.factors, ctx.parameters = layer, means, factors, parameters
            return layer.apply_factors(x, tuple(factor.detach() for factor in factors))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        layer: Gating = ctx.layer
        wants_x, wants_parameters = ctx.needs_input_grad[0], ctx.needs_input_grad[2:]
        wanted = [p for p, needed in zip(ctx.parameters, wants_parameters, strict=True) if needed]
        with without_autocast(x):
            detached = tuple(factor.detach() for factor in ctx.factors)
            grad_factors, grad_input = layer.gradients(x, grad_output, detached)
            inputs = [*(ctx.means if wants_x else ()), *wanted]
            # A factor of frozen weights and an input without gradient is a constant.
            pairs = [pair for pair in zip(ctx.factors, grad_factors, strict=True) if pair[0].requires_grad]
            factors, at_factors = zip(*pairs, strict=True)
            # Kept for a second pass over the outer graph, should the caller retain it.
            grads = list(torch.autograd.grad(factors, inputs, at_factors, retain_graph=True))
            grad_means = tuple(grads.pop(0) for _ in ctx.means) if wants_x else ()
            grad_x = grad_input(grad_means) if wants_x else None
        return grad_x, None, *(grads.pop(0) if needed else None for needed in wants_parameters)


def gated(x: torch.Tensor, layer: Gating) -> torch.Tensor:
    """The layer's output for x (T, N, C, H, W), in the dtype and memory format of x. Not differentiable twice."""
    parameters = tuple(layer.parameters())
    if torch.is_grad_enabled() and (x.requires_grad or any(p.requires_grad for p in parameters)):
        output: torch.Tensor = _Gated.apply(x, layer, *parameters)  # type: ignore[no-untyped-call]
        return output
    with without_autocast(x):
        return layer.apply_factors(x, layer.factors_of(layer.means(x)))


def without_autocast(x: torch.Tensor) -> AbstractContextManager[Any]:
    """Autocast off where x lies; the meta device, on which sizes alone are worked out, has none."""
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)


def gate_dtype(x: torch.Tensor, weight: torch.Tensor, layer_name: str) -> torch.dtype:
    """The dtype in which a gate is worked out: that of its weights, which is that of x but under mixed precision.

    Raises BadSpec where x is neither of the weights' dtype nor half precision.
    """
    if x.dtype != weight.dtype and x.dtype not in HALF:
        raise BadSpec(
            f"got a tensor of {x.dtype}, the weights are {weight.dtype}",
            where=layer_name,
            allowed=f"{weight.dtype}, or half precision under autocast",
            fix=f"call .to({weight.dtype}) on the frames or .to({x.dtype}) on the model",
        )
    return weight.dtype


def require_finite(means: torch.Tensor, layer_name: str) -> None:
    """Refuse NaN and infinity, by a mean that the layer takes anyway.

    Not on CUDA, where looking would hold up the device, nor under torch.compile: there they come out as NaN.
    """
    if torch.compiler.is_compiling() or means.device.type != "cpu":
        return
    if not means.isfinite().all():
        raise BadSpec("got NaN or infinity", where=layer_name, allowed="finite values")


def steps_at_once(x: torch.Tensor) -> int:
    """How many time steps of a map are held at a time: one on the CPU, where that stays in the cache, else all."""
    return 1 if x.device.type == "cpu" else max(1, x.shape[0])
