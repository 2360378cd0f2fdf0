"""Weights of a file against the model they are for: wrappers' prefixes, tied tensors, shapes, types, values."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from torch import nn

from eventbench.errors import BadSubmission, some

State = Mapping[str, torch.Tensor]

# What DataParallel and DistributedDataParallel, torch.compile and a class around the network put before every key.
WRAPPERS = ("module.", "_orig_mod.", "model.")


def wrapper_prefixes(keys: Iterable[str]) -> Iterator[str]:
    """Each beginning of wrappers that all keys have, the shortest first: "module.", then "module.model."."""
    keys, prefix = list(keys), ""
    while keys:
        longer = (prefix + wrapper for wrapper in WRAPPERS)
        prefix = next((begin for begin in longer if all(key.startswith(begin) for key in keys)), "")
        if not prefix:
            return
        yield prefix


def fill_model(model: nn.Module, state: State, path: Path) -> None:
    """Load the weights of the file `path` into a model. Raises BadSubmission where they are not its own."""
    own = model.state_dict()
    state = _with_tied(state, own, path)
    _check_keys(state, own, path)
    buffers = dict(model.named_buffers())
    for key, tensor in state.items():
        _check_tensor(key, tensor, own[key], path, is_buffer=key in buffers)
    model.load_state_dict(state)


def tied_groups(state: State) -> list[list[str]]:
    """Keys of tensors that are the same numbers in the same memory, in groups of two and more."""
    groups: dict[object, list[str]] = {}
    for key, tensor in state.items():
        if tensor.numel() and tensor.data_ptr():
            place = tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()
            groups.setdefault(place, []).append(key)
    return [keys for keys in groups.values() if len(keys) > 1]


def _with_tied(state: State, own: State, path: Path) -> State:
    """The weights with those that the model ties to others and the file has only once, as safetensors' `save_model` writes them."""
    filled = dict(state)
    for keys in tied_groups(own):
        first, *others = [key for key in keys if key in state] or [""]
        for key in others:
            if not torch.equal(state[first], state[key]):
                raise BadSubmission(
                    f"{first} and {key} are one tensor in the model, but not the same in the file", where=path
                )
        if first:
            filled |= {key: state[first] for key in keys if key not in state}
    return filled


def _check_keys(state: State, own: State, path: Path) -> None:
    missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if not missing and not extra:
        return
    clauses = ["the weights are those of another model"]
    clauses += [f"missing: {some(missing, 3)}"] if missing else []
    clauses += [f"not in the model: {some(extra, 3)}"] if extra else []
    fix = ""
    for prefix in wrapper_prefixes(state):
        if {key.removeprefix(prefix) for key in state} <= own.keys():
            clauses = [f"every key begins with {prefix!r}, as a wrapper around the network writes it"]
            file = shlex.quote(str(path))
            fix = f"eventbench convert-weights {file} --strip {prefix} --out {file} --overwrite"
    for prefix in wrapper_prefixes(own):
        if {prefix + key for key in state} <= own.keys():
            clauses = [f"the model has {prefix!r} before every key, the file has not"]
            fix = "convert it again from where it came: eventbench convert-weights FILE --strip '' keeps the keys as they are"
    raise BadSubmission("; ".join(clauses), where=path, fix=fix)


def _check_tensor(key: str, tensor: torch.Tensor, own: torch.Tensor, path: Path, *, is_buffer: bool) -> None:
    if tensor.shape != own.shape:
        raise BadSubmission(
            f"{key} is {tuple(tensor.shape)}", where=path, allowed=f"{tuple(own.shape)}, as in the model"
        )
    if tensor.dtype != own.dtype:
        raise BadSubmission(f"{key} is {tensor.dtype}", where=path, allowed=f"{own.dtype}, as in the model")
    finite = tensor.isfinite()
    if finite.all() or (is_buffer and _same_infinities(tensor, own.to(tensor.device), finite)):
        return
    raise BadSubmission(
        f"{key} holds values that are not finite",
        where=path,
        allowed="infinities in a buffer, such as a mask, where the model as it is made has the same ones"
        if tensor.isinf().any()
        else "",
    )


def _same_infinities(tensor: torch.Tensor, own: torch.Tensor, finite: torch.Tensor) -> bool:
    """Whether what is not finite is infinite, and just so in the model's own buffer as it is made."""
    same_places = torch.equal(finite, own.isfinite())
    return same_places and torch.equal(tensor[~finite], own[~finite]) and not bool(tensor.isnan().any())
