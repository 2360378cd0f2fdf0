"""Inputs and states that leaky layers refuse: shapes, dtypes, and values that are no numbers."""

from __future__ import annotations

import torch

from eventbench.errors import BadSpec
from eventbench.layers._lif.neuron import FLOATS
from eventbench.layers.arguments import require_tensor


def require_spikable(x: torch.Tensor, layer_name: str) -> None:
    """(T, ...) with T of 1 or more, in one of the dtypes that every backend computes."""
    require_tensor(x, layer_name)
    if x.ndim == 0 or x.shape[0] == 0:
        raise BadSpec(
            f"got shape {tuple(x.shape)}", where=layer_name, allowed="(T, N, ...) with T of 1 or more"
        )
    if x.dtype not in FLOATS:
        raise BadSpec(
            f"got a tensor of {x.dtype}",
            where=layer_name,
            allowed=", ".join(str(dtype).removeprefix("torch.") for dtype in FLOATS),
            fix="call .float() on the frames",
        )


def require_membrane(v: torch.Tensor, x: torch.Tensor, dtype: torch.dtype, layer_name: str) -> None:
    """A state that fits one step of x, where x lies, in the dtype that is computed in."""
    require_tensor(v, f"the state of {layer_name}")
    if v.shape == x.shape[1:] and v.dtype == dtype and v.device == x.device:
        return
    raise BadSpec(
        f"the state is {tuple(v.shape)} {v.dtype} on {v.device}, the input {tuple(x.shape)} {x.dtype} on {x.device}",
        where=layer_name,
        allowed=f"{tuple(x.shape[1:])} {dtype} on {x.device}: the state that an earlier call returned",
    )


def not_finite(x: torch.Tensor, v: torch.Tensor | None, layer_name: str) -> BadSpec:
    """The error for an input or state with NaN or infinity in it, and where the first one is."""
    bad = ~torch.isfinite(x.detach())
    if bad.any():
        first = [int(i) for i in bad.nonzero()[0]]
        problem = f"{int(bad.sum()):,} of {x.numel():,} inputs are NaN or infinite, the first at {first}"
    elif v is not None and not bool(torch.isfinite(v.detach()).all()):
        problem = "the state holds NaN or infinity"
    else:
        problem = f"the membrane overflows {x.dtype}: the inputs reach {x.detach().abs().max().item():g}"
    return BadSpec(
        problem, where=layer_name, allowed="finite numbers", fix="find the layer before that makes them"
    )


def finite_or_nan(
    out: torch.Tensor, last: torch.Tensor, x: torch.Tensor, v: torch.Tensor | None, layer_name: str
) -> torch.Tensor:
    """`out`; raises BadSpec where a membrane became NaN or infinite: it never recovers from that, so the last step tells.

    Where looking at a value would break a graph that is being traced or captured, such a neuron gives NaN instead of
    the silence that Norse's comparison makes of it.
    """
    looks = x.device.type in ("cpu", "cuda") and not torch.compiler.is_compiling()
    if looks and x.device.type == "cuda":
        looks = not torch.cuda.is_current_stream_capturing()
    if not looks:
        return out + (last - last).detach().to(out.dtype)
    if not bool(torch.isfinite(last.detach()).all()):
        raise not_finite(x, v, layer_name)
    return out
