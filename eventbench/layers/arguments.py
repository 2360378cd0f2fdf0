"""Checks of a layer's inputs and settings; each raises BadSpec, which names the layer."""

from __future__ import annotations

from numbers import Real

import torch

from eventbench.errors import BadSpec


def require_tensor(x: object, layer_name: str) -> None:
    """A torch tensor, not an array or a list of numbers."""
    if not isinstance(x, torch.Tensor):
        raise BadSpec(
            f"got a {type(x).__module__}.{type(x).__qualname__}",
            where=layer_name,
            allowed="a torch tensor",
            fix="convert it with torch.as_tensor",
        )


def require_floating(x: torch.Tensor, layer_name: str) -> None:
    """A floating-point tensor. The model converts counts to floats, since it knows the dtype it runs in."""
    require_tensor(x, layer_name)
    if not x.is_floating_point():
        raise BadSpec(
            f"got a tensor of {x.dtype}",
            where=layer_name,
            allowed="a floating-point tensor",
            fix="call .float() on the frames",
        )


def wrong_dtype(x: torch.Tensor, dtype: torch.dtype, where: str) -> BadSpec:
    """The error for frames of another dtype than the weights, `dtype`."""
    return BadSpec(
        f"got a tensor of {x.dtype}, the weights are {dtype}",
        where=where,
        allowed=f"{dtype}, or half precision under autocast",
        fix=f"call .to({dtype}) on the frames or .to({x.dtype}) on the model",
    )


def require_frames(x: torch.Tensor, layer_name: str, time_steps: int, channels: int) -> None:
    """Refuse anything but floats of shape (time_steps, N, channels, H, W)."""
    require_tensor(x, layer_name)
    if x.ndim != 5:
        raise BadSpec(
            f"got {x.ndim} dimensions {tuple(x.shape)}", where=layer_name, allowed="5: (T, N, C, H, W)"
        )
    for axis, expected, actual in (("T", time_steps, x.shape[0]), ("C", channels, x.shape[2])):
        if expected != actual:
            raise BadSpec(
                f"made for {axis}={expected}, got {axis}={actual} in {tuple(x.shape)}",
                where=layer_name,
                fix="the layout is (T, N, C, H, W), and the weights hold T and C",
            )
    if 0 in x.shape[3:]:
        raise BadSpec(
            f"got frames without pixels {tuple(x.shape)}", where=layer_name, allowed="H and W of 1 or more"
        )
    require_floating(x, layer_name)


def require_count(value: object, name: str, layer_name: str) -> int:
    """A whole number of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadSpec(f"{name} is {value!r}", where=layer_name, allowed="a whole number of 1 or more")
    return value


def require_choice(value: object, name: str, layer_name: str, allowed: tuple[str, ...]) -> None:
    """One of the values in `allowed`."""
    if value not in allowed:
        raise BadSpec(f"{name} is {value!r}", where=layer_name, allowed=", ".join(allowed))


def is_number(value: object) -> bool:
    """Whether a value is a real number of Python or numpy; True and False do not count."""
    return isinstance(value, Real) and not isinstance(value, bool)


def require_number(value: object, name: str, layer_name: str) -> None:
    """A real number: the caller compares it with bounds next."""
    if not is_number(value):
        raise BadSpec(f"{name} is {value!r}", where=layer_name, allowed="a number")


def require_flag(value: object, name: str, layer_name: str) -> None:
    """True or False, nothing else: Python would take the text "no" for true."""
    if not isinstance(value, bool):
        raise BadSpec(f"{name} is {value!r}", where=layer_name, allowed="true, false")
