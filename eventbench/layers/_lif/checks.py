"""Checks of the inputs and states of leaky layers: shape, dtype, and NaN or infinity."""

from __future__ import annotations

import torch

from eventbench.errors import BadSpec
from eventbench.layers._lif.neuron import FLOATS
from eventbench.layers.arguments import require_tensor


def require_spikable(x: torch.Tensor, layer_name: str) -> None:
    """A tensor (T, ...) with T of 1 or more, of a dtype that every backend supports."""
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
    """A state with the shape of one step of x, on the device of x, in `dtype`, that of the computation."""
    require_tensor(v, f"the state of {layer_name}")
    if v.shape == x.shape[1:] and v.dtype == dtype and v.device == x.device:
        return
    raise BadSpec(
        f"the state is {tuple(v.shape)} {v.dtype} on {v.device}, the input {tuple(x.shape)} {x.dtype} on {x.device}",
        where=layer_name,
        allowed=f"{tuple(x.shape[1:])} {dtype} on {x.device}: the state that an earlier call returned",
    )


def not_finite(x: torch.Tensor, v: torch.Tensor | None, layer_name: str) -> BadSpec:
    """The error for NaN or infinity in an input or state, with the position of the first one."""
    invalid = ~torch.isfinite(x.detach())
    if invalid.any():
        first = [int(i) for i in invalid.nonzero()[0]]
        problem = f"{int(invalid.sum()):,} of {x.numel():,} inputs are NaN or infinite, the first at {first}"
    elif v is not None and not bool(torch.isfinite(v.detach()).all()):
        problem = "the state holds NaN or infinity"
    else:
        problem = f"the membrane overflows {x.dtype}: the inputs reach {x.detach().abs().max().item():g}"
    return BadSpec(
        problem, where=layer_name, allowed="finite numbers", fix="find the earlier layer that produces them"
    )


def finite_or_nan(
    out: torch.Tensor, last: torch.Tensor, x: torch.Tensor, v: torch.Tensor | None, layer_name: str
) -> torch.Tensor:
    """`out`, checked: raises BadSpec if a membrane is NaN or infinite. It stays so, hence the last step is enough.

    Where reading a value would break a graph that is being traced or captured, such neurons output NaN instead;
    without this, Norse's comparison would output 0 for them.
    """
    can_read = x.device.type in ("cpu", "cuda") and not torch.compiler.is_compiling()
    if can_read and x.device.type == "cuda":
        can_read = not torch.cuda.is_current_stream_capturing()
    if not can_read:
        return out + (last - last).detach().to(out.dtype)
    if not bool(torch.isfinite(last.detach()).all()):
        raise not_finite(x, v, layer_name)
    return out
