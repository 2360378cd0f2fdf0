"""Checks of a network's frames, so that an error speaks of frames and config and not of a convolution."""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers.arguments import require_floating


def require_input(x: torch.Tensor, conv: nn.Conv2d) -> None:
    """Floats (T, N, C, H, W) of the channels and, but under autocast, the dtype of the network's first weights."""
    C, network = conv.in_channels, f"a network made for {conv.in_channels} channels"
    require_floating(x, network)
    if x.ndim != 5 or x.shape[2] != C or 0 in x.shape[3:]:
        raise BadSpec(
            f"got {tuple(x.shape)}",
            where=network,
            allowed=f"(T, N, {C}, H, W)",
            fix="inputs in the model's config, where it has one, is the number of channels of the frames",
        )
    dtype = conv.weight.dtype
    if x.dtype == dtype or (not x.is_meta and torch.is_autocast_enabled(x.device.type)):
        return
    raise BadSpec(
        f"got a tensor of {x.dtype}, the weights are {dtype}",
        where=network,
        allowed=f"{dtype}, or half precision under autocast",
        fix=f"call .to({dtype}) on the frames or .to({x.dtype}) on the model",
    )


def require_values(maps: torch.Tensor, head: nn.Sequential, frames: torch.Tensor) -> None:
    """Maps (T, N, C, H, W) of as many values a step as the first linear layer of the head has inputs."""
    linear = next((layer for layer in head if isinstance(layer, nn.Linear)), None)
    values = maps.shape[2:].numel()
    if linear is not None and values != linear.in_features:
        height, width = frames.shape[-2:]
        raise BadSpec(
            f"frames of {width} x {height} come down to {values} values a step",
            where=f"a network made for {linear.in_features} values",
            allowed="frames of the sensor (width, height) that the network was made for",
        )
