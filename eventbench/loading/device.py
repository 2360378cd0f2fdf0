"""`device_named`: a torch device by name, checked."""

from __future__ import annotations

import torch

from eventbench.errors import EventbenchError


def device_named(name: str | None) -> torch.device:
    """The device of that name; None takes CUDA if there is one, else the CPU. Raises EventbenchError if it cannot be used."""
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise EventbenchError(
            f"device {name!r} cannot be used: {reason}", allowed="cpu, or cuda if there is one"
        ) from None
    return device
