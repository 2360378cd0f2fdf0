"""What every layer asks of the tensor it is given."""

from __future__ import annotations

import torch

from eventbench.errors import BadSpec


def require_floating(x: torch.Tensor, who: str) -> None:
    """Counts must be turned into floats by the model, which knows the dtype it runs in."""
    if not x.is_floating_point():
        raise BadSpec(
            f"got a tensor of {x.dtype}",
            where=who,
            allowed="floating point",
            fix="call .float() on the frames",
        )


def require_frames(x: torch.Tensor, who: str, time_steps: int, channels: int) -> None:
    """Refuse anything but floats of shape (time_steps, N, channels, H, W)."""
    if x.ndim != 5:
        raise BadSpec(f"got {x.ndim} dimensions {tuple(x.shape)}", where=who, allowed="5: (T, N, C, H, W)")
    for axis, made_for, got in (("T", time_steps, x.shape[0]), ("C", channels, x.shape[2])):
        if made_for != got:
            raise BadSpec(
                f"made for {axis}={made_for}, got {axis}={got} in {tuple(x.shape)}",
                where=who,
                fix="the layout is (T, N, C, H, W), and the weights hold T and C",
            )
    require_floating(x, who)


def require_count(value: object, name: str, who: str) -> int:
    """A whole number of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadSpec(f"{name} is {value!r}", where=who, allowed="a whole number of 1 or more")
    return value


def require_choice(value: object, name: str, who: str, allowed: tuple[str, ...]) -> None:
    """One of a closed list of words."""
    if value not in allowed:
        raise BadSpec(f"{name} is {value!r}", where=who, allowed=", ".join(allowed))
