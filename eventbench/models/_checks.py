"""Checks of a network's input, so that errors name frames and config instead of a convolution inside."""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers.arguments import require_floating, wrong_dtype


def require_input(x: torch.Tensor, conv: nn.Conv2d) -> None:
    """Floats (T, N, C, H, W) with the channels and, except under autocast, the dtype of the first convolution."""
    C, network = conv.in_channels, f"a network made for {conv.in_channels} channels"
    require_floating(x, network)
    if x.ndim != 5 or x.shape[2] != C or 0 in x.shape[3:]:
        raise BadSpec(
            f"got {tuple(x.shape)}",
            where=network,
            allowed=f"(T, N, {C}, H, W)",
            fix="set inputs in the model's config, if it has this key, to the number of channels of the frames",
        )
    dtype = conv.weight.dtype
    if x.dtype == dtype or (not x.is_meta and torch.is_autocast_enabled(x.device.type)):
        return
    raise wrong_dtype(x, dtype, network)


def require_values(maps: torch.Tensor, head: nn.Sequential, frames: torch.Tensor) -> None:
    """Maps (T, N, C, H, W) with as many values per step as the first linear layer of the head has inputs."""
    linear = next((layer for layer in head if isinstance(layer, nn.Linear)), None)
    values = maps.shape[2:].numel()
    if linear is not None and values != linear.in_features:
        height, width = frames.shape[-2:]
        raise BadSpec(
            f"frames of {width} x {height} come down to {values} values per step",
            where=f"a network made for {linear.in_features} values",
            allowed="frames of the sensor (width, height) that the network was made for",
        )
