"""The layers of a state dict of the papers' authors, by kind in the order of use, with weights renamed to ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from eventbench.errors import BadSubmission
from eventbench.submission.weights import wrapper_prefixes

# Their name of a weight -> ours, within a layer. The docstrings of TCJA and PFA explain the swapped names.
_TCJA = {
    "conv.weight": "conv_over_channels.weight",
    "conv.0.weight": "conv_over_channels.weight",  # the TET copy wraps it in a Sequential
    "conv_c.weight": "conv_over_time.weight",
}
_PFA = {
    f"{theirs}.{part}": f"{ours}.{part}"
    for theirs, ours in (
        ("TC_FC", "time_projection"),
        ("SC_FC", "channel_projection"),
        ("TS_conv", "space_projection"),
    )
    for part in ("weight", "bias")
}
_INERT = "weight"  # PFA's rank weights, which get no gradient
_TCJA_KEY = re.compile(r"(?P<layer>.*?)\.?(?P<weight>conv(?:\.0)?\.weight|conv_c\.weight)")
_PFA_KEY = re.compile(r"(?P<layer>.*?)\.?(?P<weight>(?:TC_FC|SC_FC|TS_conv)\.(?:weight|bias))")


class AuthorsLayer(NamedTuple):
    """A layer of the authors: its name in the state dict, and {our name of the weight: the weight}."""

    name: str
    weights: dict[str, torch.Tensor]


def authors_layers(state: Mapping[str, Any]) -> dict[str, list[AuthorsLayer]]:
    """The authors' layers by kind, in the order of use. Raises BadSubmission if `state` is not a state dict."""
    layers: dict[str, dict[str, torch.Tensor]] = {}
    for layer, weight, value in _named_weights(_tensors(state)):
        layers.setdefault(layer, {})[weight] = value
    # Containers keep their order; within one, layers are sorted by number, since a file may list "conv.10" before
    # "conv.2". The static_conv of the Fashion-MNIST networks comes first.
    containers = list(dict.fromkeys(name.partition(".")[0] for name in layers))
    containers.sort(key="static_conv".__ne__)
    ordered = sorted(layers, key=lambda name: (containers.index(name.partition(".")[0]), _numbers(name)))
    by_kind: dict[str, list[AuthorsLayer]] = {}
    for name in ordered:
        by_kind.setdefault(layer_kind(layers[name]), []).append(AuthorsLayer(name, layers[name]))
    return by_kind


def uneven_rank_weights(state: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """PFA layers of the authors whose rank weights are not all the same: their name -> the smallest and largest weight."""
    tensors = _tensors(state)
    pfa = {match["layer"] for key in tensors if (match := _PFA_KEY.fullmatch(key))}
    ends = {}
    for layer in sorted(pfa):
        weights = tensors.get(f"{layer}.{_INERT}" if layer else _INERT)
        if weights is not None and weights.numel():
            low, high = float(weights.min()), float(weights.max())
            # A softmax of equal numbers in half precision may leave them a step of it apart.
            if not high - low <= 1e-3 * abs(high):
                ends[layer or "the PFA"] = (low, high)
    return ends


def layer_kind(weights: Mapping[str, torch.Tensor]) -> str:
    """The kind of a layer with these weights: "convolution", "linear", "batch norm", "TCJA", "PFA", or "unknown (...)"."""
    if "running_mean" in weights:
        return "batch norm"
    if any("projection" in name for name in weights):
        return "PFA"
    if any("conv_over" in name for name in weights):
        return "TCJA"
    axes = weights["weight"].ndim if "weight" in weights else 0
    return {2: "linear", 4: "convolution"}.get(axes, f"unknown ({', '.join(sorted(weights))})")


def _named_weights(state: Mapping[str, torch.Tensor]) -> list[tuple[str, str, torch.Tensor]]:
    """(their layer, our name of the weight, the weight), without PFA's inert rank weights."""
    pfa = {match["layer"] for key in state if (match := _PFA_KEY.fullmatch(key))}
    # An ablation has only one of the two convolutions; its 3 axes tell it from that of a stage called "conv".
    tcja = {
        match["layer"]
        for key, value in state.items()
        if value.ndim == 3 and (match := _TCJA_KEY.fullmatch(key))
    }
    named_weights = []
    for key, value in state.items():
        layer, weight = key.rpartition(".")[::2]
        if (match := _PFA_KEY.fullmatch(key)) and match["layer"] in pfa:
            layer, weight = match["layer"], _PFA[match["weight"]]
        elif (match := _TCJA_KEY.fullmatch(key)) and match["layer"] in tcja:
            layer, weight = match["layer"], _TCJA[match["weight"]]
        elif layer in pfa and weight == _INERT:
            continue
        named_weights.append((layer, weight, value))
    return named_weights


def _tensors(state: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Tensors by key, from a checkpoint's "net" if there is one, without the prefixes of wrappers around the network."""
    if isinstance(state, Mapping) and isinstance(state.get("net"), Mapping):
        state = state["net"]
    try:
        tensors = {key: torch.as_tensor(value) for key, value in state.items()}
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise BadSubmission(
            f"not a state dict: {error}",
            where="the authors' weights",
            allowed="tensors or arrays by key, or a checkpoint that has them under 'net'",
        ) from None
    prefix = max(wrapper_prefixes(tensors), default="", key=len)
    return {key.removeprefix(prefix): value for key, value in tensors.items()}


def _numbers(name: str) -> list[tuple[int, str]]:
    """A sort key for dotted names that compares their numeric parts as numbers."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]
