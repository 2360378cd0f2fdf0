"""The fused LIF as custom operators for torch.compile, which would otherwise unroll the T steps.

Outside torch.compile, the autograd function of `fused.py` avoids the overhead of these operators. An operator takes
numbers, strings and tensors only, so settings and time constants are passed one by one and reassembled inside.
"""

from __future__ import annotations

from typing import Any

import torch

from eventbench.layers._lif.checks import not_finite
from eventbench.layers._lif.engine import NotFinite, engine_of
from eventbench.layers._lif.leaky import Rate
from eventbench.layers._lif.memory_order import Layout
from eventbench.layers._lif.neuron import MEMBRANE, Neuron, compute_dtype
from eventbench.layers._lif.passes import backward_pass, forward_pass

MaybeTensor = torch.Tensor | None
ThreeTensors = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

# The fields of Neuron, then the backend.
SETTINGS = (
    "float threshold, float? reset, str surrogate, float alpha, bool detach_reset, bool decay_input, "
    "str fires_at, str backend"
)


def compiled_lif(
    x: torch.Tensor, v: torch.Tensor | None, neuron: Neuron, rate: Rate, backend: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same as `fused_lif`."""
    gain, tau, fixed_tau = None, None, 1.0
    if isinstance(rate.gain, torch.Tensor) and isinstance(rate.tau, torch.Tensor):
        gain, tau = rate.gain, rate.tau.detach()
    elif isinstance(rate.tau, float):
        fixed_tau = rate.tau
    inputs = [tensor for tensor in (x, gain, v) if tensor is not None]
    keep_membranes = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs)
    out, last, _ = _forward(x, gain, v, tau, keep_membranes, fixed_tau, *neuron, backend)
    return out, last


def _rate(gain: MaybeTensor, tau: MaybeTensor, fixed_tau: float) -> Rate:
    return Rate(1 / fixed_tau, fixed_tau) if gain is None or tau is None else Rate(gain, tau)


def _backward_reads_membranes(neuron: Neuron, gain: MaybeTensor) -> bool:
    """Whether the backward pass reads the membranes. That of a readout with a fixed time constant does not."""
    return not (neuron.surrogate == MEMBRANE and gain is None)


@torch.library.custom_op(
    "eventbench::lif_forward",
    mutates_args=(),
    schema=(
        "(Tensor x, Tensor? gain, Tensor? v, Tensor? tau, bool keep_membranes, float fixed_tau, "
        f"{SETTINGS}) -> (Tensor, Tensor, Tensor)"
    ),
)
def _forward(
    x: torch.Tensor,
    gain: MaybeTensor,
    v: MaybeTensor,
    tau: MaybeTensor,
    keep_membranes: bool,
    fixed_tau: float,
    *settings: Any,
) -> ThreeTensors:
    *neuron_settings, backend = settings
    neuron = Neuron(*neuron_settings)
    try:
        out, last, h = forward_pass(
            x, v, neuron, _rate(gain, tau, fixed_tau), engine_of(backend), keep_membranes
        )
    except NotFinite:
        raise not_finite(x, v, "LI" if neuron.surrogate == MEMBRANE else "LIF") from None
    if not keep_membranes or h is None or not _backward_reads_membranes(neuron, gain):
        return out, last, x.new_empty(0, dtype=last.dtype)
    return out, last, h.clone() if h is out else h


@_forward.register_fake
def _(
    x: torch.Tensor,
    gain: MaybeTensor,
    _v: MaybeTensor,
    _tau: MaybeTensor,
    keep_membranes: bool,
    _fixed: float,
    *settings: Any,
) -> ThreeTensors:
    layout, dtype = Layout.of(x), compute_dtype(x.dtype)
    has_membranes = keep_membranes and _backward_reads_membranes(Neuron(*settings[:-1]), gain)
    h = layout.empty(dtype, x.device) if has_membranes else x.new_empty(0, dtype=dtype)
    return layout.empty(x.dtype, x.device), layout.full_step(dtype, x.device, 0.0), h


@torch.library.custom_op(
    "eventbench::lif_backward",
    mutates_args=(),
    schema=(
        "(Tensor grad_out, Tensor grad_last, Tensor h, bool has_membranes, Tensor? v, Tensor? gain, Tensor? tau, "
        f"float fixed_tau, {SETTINGS}) -> (Tensor, Tensor, Tensor)"
    ),
)
def _backward(
    grad_out: torch.Tensor,
    grad_last: torch.Tensor,
    h: torch.Tensor,
    has_membranes: bool,
    v: MaybeTensor,
    gain: MaybeTensor,
    tau: MaybeTensor,
    fixed_tau: float,
    *settings: Any,
) -> ThreeTensors:
    *neuron_settings, backend = settings
    rate, learned = _rate(gain, tau, fixed_tau), gain is not None
    grad_x, grad_v, grad_gain = backward_pass(
        grad_out,
        grad_last,
        h if has_membranes else None,
        v,
        Neuron(*neuron_settings),
        rate,
        engine_of(backend),
        learned,
    )
    return grad_x, grad_v, grad_last.new_empty(0) if grad_gain is None else grad_gain


@_backward.register_fake
def _(
    grad_out: torch.Tensor,
    grad_last: torch.Tensor,
    h: torch.Tensor,
    has_membranes: bool,
    _v: MaybeTensor,
    gain: MaybeTensor,
    *_: Any,
) -> ThreeTensors:
    layout = Layout.of(h if has_membranes else grad_out)
    grad_x = layout.empty(grad_out.dtype, grad_out.device)
    grad_gain = grad_last.new_empty(0) if gain is None else torch.empty_like(gain)
    return grad_x, layout.full_step(grad_last.dtype, grad_out.device, 0.0), grad_gain


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
    _, gain, v, tau, _, *ctx.settings = inputs
    ctx.has_membranes = _backward_reads_membranes(Neuron(*ctx.settings[1:-1]), gain)
    ctx.has_v = v is not None
    ctx.save_for_backward(output[2], v if gain is not None else None, gain, tau)


def _gradients(ctx: Any, grad_out: torch.Tensor, grad_last: torch.Tensor, _: Any) -> tuple[Any, ...]:
    h, v, gain, tau = ctx.saved_tensors
    grad_x, grad_v, grad_gain = _backward(
        grad_out, grad_last, h, ctx.has_membranes, v, gain, tau, *ctx.settings
    )
    not_differentiable = [None] * (2 + len(ctx.settings))
    return grad_x, None if gain is None else grad_gain, grad_v if ctx.has_v else None, *not_differentiable


_forward.register_autograd(_gradients, setup_context=_setup)
