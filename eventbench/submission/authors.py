"""The authors' checkpoints in our networks: TCJA's and PFA's state dicts, whatever their containers called the layers.

The released networks are chains, so their weights come in the order in which they are used, and a layer is known by
the names and shapes of its weights. Their keys number the containers (`conv.11.conv_c.weight`, `fc.2.0.weight`,
`features.3.fwd.module.0.weight`), differently in each script; what is matched here is the n-th convolution, batch
norm, linear layer, TCJA and PFA of theirs with the n-th of ours. Every weight must find its place and shape.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from eventbench import registry
from eventbench.errors import BadSubmission, some
from eventbench.layers import PFA, TCJA
from eventbench.submission.model import make_model

# Their weight -> ours, within a layer. See the layers' own docstrings for the shuffled names.
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
_INERT = "weight"  # PFA's rank weights: no gradient reaches them
_TCJA_KEY = re.compile(r"(?P<layer>.*?)\.?(?P<weight>conv(?:\.0)?\.weight|conv_c\.weight)")
_PFA_KEY = re.compile(r"(?P<layer>.*?)\.?(?P<weight>(?:TC_FC|SC_FC|TS_conv)\.(?:weight|bias))")


def load_authors(model: nn.Module, state: Mapping[str, Any]) -> nn.Module:
    """Fill `model`, made with the same sizes, from the authors' state dict; the model, for chaining.

    `state` is what their `net.state_dict()` holds, tensors or numpy arrays, in its own order or sorted by key, or one of
    their checkpoints, which keep it under "net". PFA's inert rank weights are left out: in eval they are replaced by 1/R at each forward there, and
    are 1/R here. Raises BadSubmission where a layer is missing, left over or of another shape.
    """
    theirs, ours = authors_layers(state), _our_layers(model)
    filled: dict[str, torch.Tensor] = {}
    for kind in sorted({*theirs, *ours}):
        there, here = theirs.get(kind, []), ours.get(kind, [])
        if len(there) != len(here):
            raise BadSubmission(
                f"the state dict holds {len(there)} layers of kind {kind}, the model {len(here)}",
                where=type(model).__name__,
                fix="make the model with the stages and modules that the checkpoint was trained with",
            )
        for (label, weights), (prefix, layer) in zip(there, here, strict=True):
            filled |= _matched(label, weights, prefix, layer)
    model.load_state_dict(filled)
    return model


def from_authors(name: str, state: Mapping[str, Any], sensor: tuple[int, int], **changed: Any) -> nn.Module:
    """The network `name` (as "tcja_dvs128") made with the sizes of the authors' state dict, and filled from it.

    T, classes, widths, kernels, ranks and biases are read off the weights; `sensor` (width, height) is not in them, nor
    is what else `changed` says of the model's config, as neuron={...}. `state` as in `load_authors`. Raises UnknownName
    for a network there is not, BadSubmission where the state dict is another network's.
    """
    kind = registry.models.get(name)
    takes = inspect.signature(kind).parameters
    theirs = {layer: [weights for _, weights in found] for layer, found in authors_layers(state).items()}
    gates = theirs.get("TCJA", []) + theirs.get("PFA", [])
    try:
        convolutions, linears = theirs["convolution"], theirs["linear"]
        widths = iter([w["weight"].shape[0] for w in convolutions])
        config: dict[str, Any] = {"inputs": convolutions[0]["weight"].shape[1]}
        if "channels" not in changed:
            config["channels"] = [
                next(widths) if isinstance(stage, int) else [next(widths) for _ in stage]
                for stage in takes["channels"].default
            ]
        if "bias" in takes:
            config["bias"] = "bias" in convolutions[0]
        if "hidden" in takes:
            config["hidden"] = linears[0]["weight"].shape[0]
        first = gates[0]
        if "kernel_over_time" in takes:
            both = {k: [g[f"conv_over_{k}.weight"].shape[2] for g in gates] for k in ("time", "channels")}
            config |= {f"kernel_over_{k}": found for k, found in both.items()}
            steps = first["conv_over_channels.weight"].shape[0]
        else:
            ranks = [g["time_projection.weight"].shape[0] for g in gates]
            config["rank"] = ranks
            config["kernel_over_space"] = first["space_projection.weight"].shape[2]
            steps = first["channel_projection.weight"].shape[1]
            if "last_rank" in takes:
                config |= {"rank": ranks[0], "last_rank": ranks[-1]}
        for key in ("kernel_over_time", "kernel_over_channels", "rank"):
            if (
                key in config
                and "Sequence" not in str(takes[key].annotation)
                and isinstance(config[key], list)
            ):
                (config[key],) = config[key]
    except (KeyError, IndexError, StopIteration, ValueError, TypeError):
        held = ", ".join(f"{len(found)} of {layer}" for layer, found in sorted(theirs.items()))
        raise BadSubmission(
            f"the state dict is not that of {name}: it holds {held or 'nothing'}",
            where="from_authors",
            allowed="the state dict of a network of TCJA's or PFA's code",
        ) from None
    outputs = linears[-1]["weight"].shape[0]
    if "outputs" in takes:
        config["outputs"] = outputs
    classes = outputs // takes["voters"].default if "voters" in takes else outputs
    model = make_model(name, config | changed, sensor, steps, classes, Path())
    return load_authors(model.to(linears[-1]["weight"].dtype), state)


def counted_as_published(model: nn.Module) -> int:
    """Parameters as the papers' tables count them: ours, and PFA's inert rank weights, R for each mean of ranks."""
    inert = sum(m.rank for m in model.modules() if isinstance(m, PFA) and m.composition == "mean")
    return sum(p.numel() for p in model.parameters()) + inert


def authors_layers(
    state: Mapping[str, Any],
) -> dict[str, list[tuple[str, dict[str, torch.Tensor]]]]:
    """Their layers by kind, in the order of use: (name, {our name of the weight: the weight})."""
    layers: dict[str, dict[str, torch.Tensor]] = {}
    state = _weights(state)
    pfa = {found["layer"] for key in state if (found := _PFA_KEY.fullmatch(key))}
    # Of an ablation one convolution is there alone: by its axes it is known from that of a stage called "conv".
    tcja = {
        found["layer"]
        for key, value in state.items()
        if value.ndim == 3 and (found := _TCJA_KEY.fullmatch(key))
    }
    for key, value in state.items():
        layer, weight = key.rpartition(".")[::2]
        if (found := _PFA_KEY.fullmatch(key)) and found["layer"] in pfa:
            layer, weight = found["layer"], _PFA[found["weight"]]
        elif (found := _TCJA_KEY.fullmatch(key)) and found["layer"] in tcja:
            layer, weight = found["layer"], _TCJA[found["weight"]]
        elif layer in pfa and weight == _INERT:
            continue
        layers.setdefault(layer, {})[weight] = value
    # Within one container by number, since a file may list "conv.10" before "conv.2"; containers as they come.
    # The Fashion-MNIST nets' static_conv is used first.
    containers = list(dict.fromkeys(name.partition(".")[0] for name in layers))
    containers.sort(key="static_conv".__ne__)
    ordered = sorted(layers, key=lambda name: (containers.index(name.partition(".")[0]), _numbers(name)))
    kinds: dict[str, list[tuple[str, dict[str, torch.Tensor]]]] = {}
    for name in ordered:
        kinds.setdefault(_kind(layers[name]), []).append((name, layers[name]))
    return kinds


def _weights(state: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Tensors by key, out of a checkpoint's "net", without the prefix that a wrapper around the whole network adds."""
    if isinstance(state, Mapping) and isinstance(state.get("net"), Mapping):
        state = state["net"]
    try:
        weights = {key: torch.as_tensor(value) for key, value in state.items()}
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise BadSubmission(
            f"not a state dict: {error}",
            where="the authors' weights",
            allowed="tensors or arrays by key, or a checkpoint with them under 'net'",
        ) from None
    for prefix in ("module.", "_orig_mod."):
        if all(key.startswith(prefix) for key in weights):
            weights = {key.removeprefix(prefix): value for key, value in weights.items()}
    return weights


def _numbers(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]


def _kind(weights: Mapping[str, torch.Tensor]) -> str:
    if "running_mean" in weights:
        return "batch norm"
    if any("projection" in name for name in weights):
        return "PFA"
    if any("conv_over" in name for name in weights):
        return "TCJA"
    axes = weights["weight"].ndim if "weight" in weights else 0
    return {2: "linear", 4: "convolution"}.get(axes, f"unknown ({', '.join(sorted(weights))})")


def _our_layers(model: nn.Module) -> dict[str, list[tuple[str, nn.Module]]]:
    kinds: dict[str, list[tuple[str, nn.Module]]] = {}
    for name, layer in _leaves("", model):
        kinds.setdefault(_kind(dict(layer.state_dict())), []).append((name, layer))
    return kinds


def _leaves(name: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Layers with weights, in the order of use, TCJA and PFA whole."""
    if isinstance(module, TCJA | PFA) or any(True for _ in module.parameters(recurse=False)):
        yield name, module
        return
    for child_name, child in module.named_children():
        yield from _leaves(f"{name}.{child_name}" if name else child_name, child)


def _matched(
    label: str, weights: Mapping[str, torch.Tensor], prefix: str, layer: nn.Module
) -> dict[str, torch.Tensor]:
    own = layer.state_dict()
    given = dict(weights)
    if "num_batches_tracked" in own:
        given.setdefault("num_batches_tracked", own["num_batches_tracked"])
    missing, extra = sorted(own.keys() - given.keys()), sorted(given.keys() - own.keys())
    if missing or extra:
        told = f"{some(missing) or 'nothing'} missing, {some(extra) or 'nothing'} left over"
        raise BadSubmission(
            f"{label} does not fill {prefix} ({type(layer).__name__}): {told}",
            where="load_authors",
            fix="bias and branches must be as in the checkpoint",
        )
    for name, value in own.items():
        if given[name].shape != value.shape:
            raise BadSubmission(
                f"{label} {name} has shape {tuple(given[name].shape)}, {prefix} has {tuple(value.shape)}",
                where="load_authors",
                fix="T, channels, rank and sensor must be as in the checkpoint",
            )
    return {f"{prefix}.{name}": given[name] for name in own}
