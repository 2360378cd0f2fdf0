"""Loads checkpoints of TCJA's and PFA's authors into our networks.

The released networks are chains, so their weights are in the order of use, and the kind of a layer follows from the
names and shapes of its weights. Their keys (`conv.11.conv_c.weight`, `fc.2.0.weight`,
`features.3.fwd.module.0.weight`) are numbered differently in each script. So the n-th convolution, batch norm, linear
layer, TCJA and PFA of the checkpoint is matched with the n-th one here. Every weight must match, also in shape.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from eventbench import registry
from eventbench.errors import BadSubmission, some
from eventbench.layers import PFA, TCJA
from eventbench.submission._authors_state import AuthorsLayer, authors_layers, layer_kind, uneven_rank_weights
from eventbench.submission.model import make_model

Parameters = Mapping[str, inspect.Parameter]


def load_authors(model: nn.Module, state: Mapping[str, Any]) -> nn.Module:
    """Load the authors' state dict into `model`, made with the same sizes; return the model.

    `state` is the content of their `net.state_dict()`, as tensors or numpy arrays, in its order or sorted by key, or one
    of their checkpoints, which have it under "net". PFA's inert rank weights are ignored: the authors' code replaces them
    by their softmax in every forward pass, which is 1/R where they are equal, and here they are 1/R. Where they are not,
    which no training of theirs leads to, the authors' network differs at first, and a UserWarning names the layers.
    Raises BadSubmission if a layer is missing, left over or of another shape.
    """
    theirs, ours = authors_layers(state), _our_layers(model)
    filled: dict[str, torch.Tensor] = {}
    for kind in sorted({*theirs, *ours}):
        their_layers, our_layers = theirs.get(kind, []), ours.get(kind, [])
        if len(their_layers) != len(our_layers):
            raise BadSubmission(
                f"the state dict holds {len(their_layers)} layers of kind {kind}, the model {len(our_layers)}",
                where=type(model).__name__,
                fix="make the model with the stages and modules that the checkpoint was trained with",
            )
        for their_layer, (name, layer) in zip(their_layers, our_layers, strict=True):
            filled |= _matched(their_layer, name, layer)
    model.load_state_dict(filled)
    for name, (low, high) in uneven_rank_weights(state).items():
        warnings.warn(
            f"the rank weights of {name} are {low:g} to {high:g}, not all the same: the authors' code evens them out over its "
            "first forward passes and gives other scores until then; here all ranks weigh 1/R",
            stacklevel=2,
        )
    return model


def from_authors(name: str, state: Mapping[str, Any], sensor: tuple[int, int], **overrides: Any) -> nn.Module:
    """The network `name` (as "tcja_dvs128") made with the sizes of the authors' state dict, and filled from it.

    T, classes, widths, kernels, ranks and biases follow from the weights. `sensor` (width, height) does not, nor do other
    keys of the model's config, which `overrides` sets, as neuron={...}. `state` is as in `load_authors`. Raises
    UnknownName for an unknown network, BadSubmission if the state dict is that of another network.
    """
    parameters = inspect.signature(registry.models.get(name)).parameters
    layers = authors_layers(state)
    try:
        config = _sizes(layers, parameters, with_channels="channels" not in overrides)
        gates, steps = _gates(layers, parameters)
    except (KeyError, IndexError, StopIteration, ValueError, TypeError):
        counts = ", ".join(f"{len(members)} of {kind}" for kind, members in sorted(layers.items()))
        raise BadSubmission(
            f"the state dict is not that of {name}: it holds {counts or 'nothing'}",
            where="from_authors",
            allowed="the state dict of a network of TCJA's or PFA's code",
        ) from None
    readout = layers["linear"][-1].weights["weight"]
    outputs = readout.shape[0]
    if "outputs" in parameters:
        config["outputs"] = outputs
    classes = outputs // parameters["voters"].default if "voters" in parameters else outputs
    model = make_model(name, config | gates | overrides, sensor, steps, classes)
    return load_authors(model.to(readout.dtype), state)


def counted_as_published(model: nn.Module) -> int:
    """The parameter count of the papers' tables: ours plus PFA's inert rank weights, R for each PFA with the mean."""
    inert = sum(m.rank for m in model.modules() if isinstance(m, PFA) and m.composition == "mean")
    return sum(p.numel() for p in model.parameters()) + inert


def _sizes(
    layers: Mapping[str, list[AuthorsLayer]], parameters: Parameters, *, with_channels: bool
) -> dict[str, Any]:
    """Config keys for the inputs, the widths of stages and hidden layer, and biases."""
    convolutions = [layer.weights for layer in layers["convolution"]]
    linears = [layer.weights for layer in layers["linear"]]
    config: dict[str, Any] = {"inputs": convolutions[0]["weight"].shape[1]}
    if with_channels:
        widths = iter([weights["weight"].shape[0] for weights in convolutions])
        config["channels"] = [
            next(widths) if isinstance(stage, int) else [next(widths) for _ in stage]
            for stage in parameters["channels"].default
        ]
    if "bias" in parameters:
        config["bias"] = "bias" in convolutions[0]
    if "hidden" in parameters:
        config["hidden"] = linears[0]["weight"].shape[0]
    return config


def _gates(layers: Mapping[str, list[AuthorsLayer]], parameters: Parameters) -> tuple[dict[str, Any], int]:
    """Config keys for the sizes of the TCJA or PFA modules, and their number of time steps T."""
    gates = [layer.weights for layer in (*layers.get("TCJA", []), *layers.get("PFA", []))]
    config: dict[str, Any] = {}
    if "kernel_over_time" in parameters:
        for axis in ("time", "channels"):
            config[f"kernel_over_{axis}"] = [gate[f"conv_over_{axis}.weight"].shape[2] for gate in gates]
        steps = gates[0]["conv_over_channels.weight"].shape[0]
    else:
        ranks = [gate["time_projection.weight"].shape[0] for gate in gates]
        config["rank"] = ranks
        config["kernel_over_space"] = gates[0]["space_projection.weight"].shape[2]
        steps = gates[0]["channel_projection.weight"].shape[1]
        if "last_rank" in parameters:
            config |= {"rank": ranks[0], "last_rank": ranks[-1]}
    for key in ("kernel_over_time", "kernel_over_channels", "rank"):
        takes_one_value = key in config and "Sequence" not in str(parameters[key].annotation)
        if takes_one_value and isinstance(config[key], list):
            (config[key],) = config[key]
    return config, steps


def _our_layers(model: nn.Module) -> dict[str, list[tuple[str, nn.Module]]]:
    """Our layers with weights by kind: (name, layer) in the order of use."""
    by_kind: dict[str, list[tuple[str, nn.Module]]] = {}
    for name, layer in _leaves("", model):
        by_kind.setdefault(layer_kind(dict(layer.state_dict())), []).append((name, layer))
    return by_kind


def _leaves(name: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Layers with weights, in the order of use; TCJA and PFA count as one layer."""
    if isinstance(module, TCJA | PFA) or any(True for _ in module.parameters(recurse=False)):
        yield name, module
        return
    for child_name, child in module.named_children():
        yield from _leaves(f"{name}.{child_name}" if name else child_name, child)


def _matched(theirs: AuthorsLayer, name: str, layer: nn.Module) -> dict[str, torch.Tensor]:
    """Their weights under the keys of our layer `name`. Raises BadSubmission if they do not match it."""
    own = layer.state_dict()
    weights = dict(theirs.weights)
    if "num_batches_tracked" in own:
        weights.setdefault("num_batches_tracked", own["num_batches_tracked"])
    missing, extra = sorted(own.keys() - weights.keys()), sorted(weights.keys() - own.keys())
    if missing or extra:
        difference = f"{some(missing) or 'nothing'} missing, {some(extra) or 'nothing'} left over"
        raise BadSubmission(
            f"{theirs.name} does not match {name} ({type(layer).__name__}): {difference}",
            where="load_authors",
            fix="make the model with the bias and branches of the checkpoint",
        )
    for key, value in own.items():
        if weights[key].shape != value.shape:
            raise BadSubmission(
                f"{theirs.name} {key} has shape {tuple(weights[key].shape)}, {name} has {tuple(value.shape)}",
                where="load_authors",
                fix="make the model with the T, channels, rank and sensor of the checkpoint",
            )
    return {f"{name}.{key}": weights[key] for key in own}
