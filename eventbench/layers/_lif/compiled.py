"""The fused LIF as operators that torch.compile leaves whole, in place of T unrolled steps.

Outside torch.compile the autograd function of `_lif_fused` is called without these operators' overhead.
"""

from __future__ import annotations

from typing import Any

import torch

from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.memory_order import Layout
from eventbench.layers._lif.neuron import MEMBRANE, Neuron, compute_dtype
from eventbench.layers._lif.passes import NotFinite, backward_pass, engine_of, forward_pass
from eventbench.layers._lif.refusals import not_finite

Settings = tuple[Any, ...]
SETTINGS = (
    "float fixed_tau, float threshold, float? reset, str surrogate, float alpha, bool detach_reset, "
    "bool decay_input, str backend"
)


def compiled_lif(
    x: torch.Tensor, rate: Rate, v: torch.Tensor | None, neuron: Neuron, backend: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """As `fused_lif`."""
    gain, tau, fixed_tau = None, None, 1.0
    if isinstance(rate.gain, torch.Tensor) and isinstance(rate.tau, torch.Tensor):
        gain, tau = rate.gain, rate.tau.detach()
    elif isinstance(rate.tau, float):
        fixed_tau = rate.tau
    inputs = [a for a in (x, gain, v) if a is not None]
    keep = torch.is_grad_enabled() and any(a.requires_grad for a in inputs)
    out, last, _ = _forward(x, gain, v, tau, keep, fixed_tau, *neuron, backend)
    return out, last


def _rate(gain: torch.Tensor | None, tau: torch.Tensor | None, fixed_tau: float) -> Rate:
    return Rate(1 / fixed_tau, fixed_tau) if gain is None or tau is None else Rate(gain, tau)


@torch.library.custom_op(
    "eventbench::lif_forward",
    mutates_args=(),
    schema=f"(Tensor x, Tensor? gain, Tensor? v, Tensor? tau, bool keep, {SETTINGS}) -> (Tensor, Tensor, Tensor)",
)
def _forward(  # type: ignore[no-untyped-def]
    x, gain, v, tau, keep, fixed_tau, *settings
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    *own, backend = settings
    neuron = Neuron(*own)
    try:
        out, last, h = forward_pass(x, _rate(gain, tau, fixed_tau), v, neuron, engine_of(backend), keep)
    except NotFinite:
        raise not_finite(x, v, "LI" if neuron.surrogate == MEMBRANE else "LIF") from None
    if not keep or h is None or (neuron.surrogate == MEMBRANE and gain is None):
        return out, last, x.new_empty(0, dtype=last.dtype)
    return out, last, h.clone() if h is out else h


@_forward.register_fake
def _(x, gain, v, tau, keep, fixed_tau, *settings):  # type: ignore[no-untyped-def]
    layout, dtype = Layout.of(x), compute_dtype(x.dtype)
    kept = keep and not (Neuron(*settings[:-1]).surrogate == MEMBRANE and gain is None)
    h = layout.empty(dtype, x.device) if kept else x.new_empty(0, dtype=dtype)
    return layout.empty(x.dtype, x.device), layout.one(dtype, x.device, 0.0), h


@torch.library.custom_op(
    "eventbench::lif_backward",
    mutates_args=(),
    schema=(
        "(Tensor at_out, Tensor at_last, Tensor h, bool kept, Tensor? v, Tensor? gain, Tensor? tau, "
        f"{SETTINGS}) -> (Tensor, Tensor, Tensor)"
    ),
)
def _backward(  # type: ignore[no-untyped-def]
    at_out, at_last, h, kept, v, gain, tau, fixed_tau, *settings
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    *own, backend = settings
    rate, learned = _rate(gain, tau, fixed_tau), gain is not None
    grad_x, grad_v, at_gain = backward_pass(
        at_out, at_last, h if kept else None, v, rate, Neuron(*own), engine_of(backend), learned
    )
    return grad_x, grad_v, at_last.new_empty(0) if at_gain is None else at_gain


@_backward.register_fake
def _(at_out, at_last, h, kept, v, gain, tau, fixed_tau, *settings):  # type: ignore[no-untyped-def]
    layout = Layout.of(h if kept else at_out)
    grad_x = layout.empty(at_out.dtype, at_out.device)
    at_gain = at_last.new_empty(0) if gain is None else torch.empty_like(gain)
    return grad_x, layout.one(at_last.dtype, at_out.device, 0.0), at_gain


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
    _, gain, v, tau, _, *ctx.settings = inputs
    ctx.kept = not (Neuron(*ctx.settings[1:-1]).surrogate == MEMBRANE and gain is None)
    ctx.has_v = v is not None
    ctx.save_for_backward(output[2], v if gain is not None else None, gain, tau)


def _gradients(ctx: Any, at_out: torch.Tensor, at_last: torch.Tensor, _: Any) -> tuple[Any, ...]:
    h, v, gain, tau = ctx.saved_tensors
    grad_x, grad_v, at_gain = _backward(at_out, at_last, h, ctx.kept, v, gain, tau, *ctx.settings)
    others = [None] * (2 + len(ctx.settings))
    return grad_x, None if gain is None else at_gain, grad_v if ctx.has_v else None, *others


_forward.register_autograd(_gradients, setup_context=_setup)
