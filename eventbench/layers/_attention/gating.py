"""`gated`: TCJA or PFA as one differentiable operation, with one backward pass for means, gate and product with the input.

Autograd would save a map of the input's size for every operation of a gate. Here only the input and the gate's small
factors are saved; maps are made for one time step at a time and discarded. The small part, from the means to the
factors, uses autograd's own graph. Under torch.compile the plain arithmetic is used, which the compiler fuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from eventbench.errors import BadSpec
from eventbench.layers.arguments import wrong_dtype

HALF = (torch.float16, torch.bfloat16)
Tensors = tuple[torch.Tensor, ...]
InputGradient = Callable[[Tensors], torch.Tensor]


class Gating(Protocol):
    """The methods of a layer that `gated` calls; none of them has to deal with autograd."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """The weights of the layer."""

    def means(self, x: torch.Tensor) -> Tensors:
        """The means of x that the gate is computed from; small compared to x."""

    def factors_of(self, means: Tensors) -> Tensors:
        """The factors of the gate; small compared to x."""

    def apply_factors(self, x: torch.Tensor, factors: Tensors) -> torch.Tensor:
        """The output of the layer."""

    def gradients(
        self, x: torch.Tensor, grad_output: torch.Tensor, factors: Tensors
    ) -> tuple[Tensors, InputGradient]:
        """The gradients of the factors, and a function from the gradients of the means to the gradient of x."""


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
        x_needs_grad, parameters_need_grad = ctx.needs_input_grad[0], ctx.needs_input_grad[2:]
        trained = [
            p for p, needs_grad in zip(ctx.parameters, parameters_need_grad, strict=True) if needs_grad
        ]
        with without_autocast(x):
            detached = tuple(factor.detach() for factor in ctx.factors)
            grad_factors, grad_input = layer.gradients(x, grad_output, detached)
            inputs = [*(ctx.means if x_needs_grad else ()), *trained]
            # With frozen weights and an input without gradient, a factor is a constant.
            pairs = [pair for pair in zip(ctx.factors, grad_factors, strict=True) if pair[0].requires_grad]
            factors, grad_outputs = zip(*pairs, strict=True)
            # Retained for a second backward pass, in case the caller retains the outer graph.
            grads = list(torch.autograd.grad(factors, inputs, grad_outputs, retain_graph=True))
            grad_means = tuple(grads.pop(0) for _ in ctx.means) if x_needs_grad else ()
            grad_x = grad_input(grad_means) if x_needs_grad else None
        return grad_x, None, *(grads.pop(0) if needs_grad else None for needs_grad in parameters_need_grad)


def gated(x: torch.Tensor, layer: Gating) -> torch.Tensor:
    """The layer's output for x (T, N, C, H, W), in the dtype and memory format of x. Not differentiable twice."""
    parameters = tuple(layer.parameters())
    if torch.is_grad_enabled() and (x.requires_grad or any(p.requires_grad for p in parameters)):
        output: torch.Tensor = _Gated.apply(x, layer, *parameters)  # type: ignore[no-untyped-call]
        return output
    with without_autocast(x):
        return layer.apply_factors(x, layer.factors_of(layer.means(x)))


def without_autocast(x: torch.Tensor) -> AbstractContextManager[Any]:
    """Disables autocast on the device of x. The meta device, which computes shapes only, has no autocast."""
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)


def gate_dtype(x: torch.Tensor, weight: torch.Tensor, layer_name: str) -> torch.dtype:
    """The dtype in which a gate is computed: that of its weights. Under mixed precision, x has another dtype.

    Raises BadSpec if x has neither the weights' dtype nor half precision.
    """
    if x.dtype != weight.dtype and x.dtype not in HALF:
        raise wrong_dtype(x, weight.dtype, layer_name)
    return weight.dtype


def require_finite(means: torch.Tensor, layer_name: str) -> None:
    """Refuse NaN and infinity, by means that the layer computes anyway.

    Not on CUDA, where the check would wait for the device, nor under torch.compile: there they give NaN outputs.
    """
    if torch.compiler.is_compiling() or means.device.type != "cpu":
        return
    if not means.isfinite().all():
        raise BadSpec("got NaN or infinity", where=layer_name, allowed="finite values")


def steps_at_once(x: torch.Tensor) -> int:
    """The number of time steps whose maps are made at once: one on the CPU, to stay in the cache, else all."""
    return 1 if x.device.type == "cpu" else max(1, x.shape[0])
