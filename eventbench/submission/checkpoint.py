"""`convert_weights`: a checkpoint of PyTorch as a safetensors file, read without running anything that is in it."""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from eventbench.errors import BadSubmission, some
from eventbench.files.temporary import replacing
from eventbench.submission.weights import tied_groups, wrapper_prefixes

CONTAINERS = ("state_dict", "model_state_dict", "model", "net")
SAVE_STATE = "where it was trained: torch.save(model.state_dict(), FILE)"

# Beside weights_only's own: plain data that training scripts keep in checkpoints, their arguments and figures of numpy.
PLAIN_DATA = [argparse.Namespace, np.dtype, np.ndarray, *{type(np.dtype(code)) for code in "?bBhHiIlLqQefd"}]


class ConvertedWeights(NamedTuple):
    """What was written: tensors by key, without the `prefix` of wrappers, from the table `container` of the checkpoint ("" none).

    `tied` has the keys that were left out, since they are the same tensor as another, and that key.
    """

    path: Path
    container: str
    prefix: str
    tied: dict[str, str]
    tensors: int
    values: int


def convert_weights(
    source: Path, out: Path, *, key: str = "", strip: str | None = None, overwrite: bool = False
) -> ConvertedWeights:
    """Write the weights of `source`, a file of torch.save or safetensors, to the safetensors file `out`; types are kept.

    `key` names the table with the weights; without it that is the file itself, or its "state_dict", "model_state_dict", "model"
    or "net". `strip` is what is taken off before every key, "" for nothing; without it that is "module.", "_orig_mod." and
    "model.", where every key has them. Tied weights are written once, as safetensors' `save_model` does.

    Raises BadSubmission where `source` cannot be read without running code, where it holds other things than weights, and where
    `out` exists and `overwrite` is false.
    """
    if out.suffix != ".safetensors":
        raise BadSubmission("the file to write", where=out, allowed="a name that ends in .safetensors")
    if out.exists() and not overwrite:
        raise BadSubmission("exists already", where=out, fix="name another file, or add --overwrite")
    container, state = _contained(_read(source), key, source)
    prefix = max(wrapper_prefixes(state), default="", key=len) if strip is None else strip
    if lacking := [name for name in state if not name.startswith(prefix)]:
        raise BadSubmission(
            f"not every key begins with {prefix!r}: {some(lacking, 3)}",
            where=source,
            fix="--strip '' keeps the keys",
        )
    state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    tied = {other: keys[0] for keys in map(sorted, tied_groups(state)) for other in keys[1:]}
    # Copies, since tensors may be parts of one another, and safetensors writes memory only once.
    written = {name: value.detach().contiguous().clone() for name, value in state.items() if name not in tied}
    try:
        with replacing(out) as temporary:
            save_file(written, temporary, metadata=tied or None)
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise BadSubmission(f"safetensors cannot hold it: {error}", where=source) from None
    values = sum(tensor.numel() for tensor in written.values())
    return ConvertedWeights(out, container, prefix, tied, len(written), values)


def _read(source: Path) -> object:
    """The content of a file. Raises BadSubmission for one that cannot be read, or only by running code in it."""
    if not source.is_file():
        raise BadSubmission("no such file", where=source)
    try:
        if source.suffix == ".safetensors":
            return load_file(source)
        with warnings.catch_warnings(), torch.serialization.safe_globals([*PLAIN_DATA, *_numpy_functions()]):
            warnings.simplefilter("ignore")  # that TorchScript, which is refused, has another reader
            return torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (?:numpy\.)?([\w.]+)", str(error))
        raise BadSubmission(
            f"it cannot be read without running code in it ({named[1]})" if named else "it cannot be read",
            where=source,
            allowed="tensors in tables and lists, with numbers and text, as torch.save writes them",
            fix=SAVE_STATE,
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise BadSubmission(
            f"it cannot be read: {type(error).__name__}: {reason}",
            where=source,
            allowed="a file of torch.save, or *.safetensors",
            fix=SAVE_STATE,
        ) from None


def _numpy_functions() -> list[Any]:
    """How pickles make a number and an array of numpy, under the names of numpy 1 and 2."""
    functions: list[Any] = [np.float64(0).__reduce__()[0], np.zeros(1).__reduce__()[0]]
    return [
        (function, f"numpy.{core}.multiarray.{function.__name__}")
        for core in ("core", "_core")
        for function in functions
    ]


def _contained(content: object, key: str, source: Path) -> tuple[str, dict[str, torch.Tensor]]:
    """The table's name, "" for the file itself, and the weights in it."""
    if not isinstance(content, Mapping):
        raise BadSubmission(
            f"it holds a {type(content).__name__}", where=source, allowed="tensors by key", fix=SAVE_STATE
        )
    tables = [str(name) for name, value in content.items() if isinstance(value, Mapping)]
    if key:
        if key not in tables:
            raise BadSubmission(
                f"there is no table {key!r}", where=source, allowed=some(tables) or "no tables: leave it out"
            )
    elif not any(isinstance(value, torch.Tensor) for value in content.values()):
        found = [name for name in CONTAINERS if name in tables]
        if len(found) != 1:
            raise BadSubmission(
                f"it has {' and '.join(found)}" if found else "it has no weights under a known name",
                where=source,
                allowed=f"one of {', '.join(CONTAINERS)}",
                fix=f"name the table with the weights: --key {(found or tables)[0]}"
                if tables
                else SAVE_STATE,
            )
        (key,) = found
    state = content[key] if key else content
    if odd := [str(name) for name, value in state.items() if not isinstance(value, torch.Tensor)]:
        raise BadSubmission(
            f"{some(odd, 3)} {'are' if len(odd) > 1 else 'is'} no tensor",
            where=source,
            allowed="tensors by key",
            fix=SAVE_STATE,
        )
    if not state:
        raise BadSubmission("it has no tensor", where=source)
    return key, {str(name): value for name, value in state.items()}
