"""Weights of a file: what wrappers put before keys, tied tensors, infinities; and checkpoints of PyTorch turned into them."""

from __future__ import annotations

import argparse
import json
import pickle
import shlex
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file, save_model
from torch import nn

from eventbench.errors import BadSubmission
from eventbench.submission.checkpoint import convert_weights
from eventbench.submission.weights import fill_model, wrapper_prefixes
from tests.support.miniatures import refused, run_cli


class Tied(nn.Module):
    """Two layers with one weight, a mask with minus infinity."""

    def __init__(self, tied: bool = True) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        if tied:
            self.second.weight = self.first.weight
        self.register_buffer("mask", torch.full((2, 2), -torch.inf).triu(1))


class Inside(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Linear(3, 2)


def written(state: dict[str, torch.Tensor], path: Path) -> Path:
    save_file({key: value.clone() for key, value in state.items()}, path)
    return path


def filled(model: nn.Module, path: Path) -> nn.Module:
    fill_model(model, load_file(path), path)
    return model


@pytest.mark.parametrize(
    ("keys", "prefixes"),
    [
        (["a", "b.module.c"], []),
        (["module.a", "module.b"], ["module."]),
        (["module.a", "b"], []),
        (["module._orig_mod.model.a", "module._orig_mod.b"], ["module.", "module._orig_mod."]),
        ([], []),
        (["model.a"], ["model."]),
    ],
)
def test_wrappers_are_what_every_key_begins_with(keys: list[str], prefixes: list[str]) -> None:
    assert list(wrapper_prefixes(keys)) == prefixes


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.model."]
)
@pytest.mark.parametrize("make", [lambda: nn.Linear(3, 2), Inside], ids=["plain", "model inside"])
def test_the_command_that_a_refusal_names_takes_the_prefix_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], prefix: str, make: Callable[[], nn.Module]
) -> None:
    model = make()
    state = {prefix + key: value for key, value in model.state_dict().items()}
    path = written(state, tmp_path / "my weights.safetensors")
    with pytest.raises(BadSubmission, match=f"every key begins with '{prefix}', as a wrapper") as refusal:
        filled(make(), path)
    program, *arguments = shlex.split(refusal.value.fix)
    assert program == "eventbench"
    assert run_cli(capsys, *arguments)[0] == 0
    again = filled(make(), path).state_dict()
    assert all(torch.equal(again[key], value) for key, value in model.state_dict().items())


def test_keys_that_lost_what_the_model_has_are_told_how_to_keep_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(Inside().state_dict(), tmp_path / "a.pth")
    out = tmp_path / "a.safetensors"
    convert_weights(tmp_path / "a.pth", out)
    with pytest.raises(
        BadSubmission, match=r"the model has 'model.' before every key.*--strip '' keeps the keys"
    ):
        filled(Inside(), out)
    arguments = ["convert-weights", tmp_path / "a.pth", "--out", out, "--strip", "", "--overwrite"]
    assert run_cli(capsys, *arguments)[0] == 0
    filled(Inside(), out)


def test_other_weights_are_still_those_of_another_model(tmp_path: Path) -> None:
    path = written({"module.a": torch.ones(2)}, tmp_path / "w.safetensors")
    with pytest.raises(
        BadSubmission, match=r"those of another model; missing: bias, weight; not in the model: module.a$"
    ):
        filled(nn.Linear(3, 2), path)


def test_tied_weights_are_read_as_safetensors_saves_them(tmp_path: Path) -> None:
    trained = Tied()
    save_model(trained, str(tmp_path / "w.safetensors"))
    assert len(load_file(tmp_path / "w.safetensors")) == 4
    model = filled(Tied(), tmp_path / "w.safetensors")
    assert isinstance(model, Tied)
    assert model.first.weight is model.second.weight
    assert torch.equal(model.first.weight, trained.first.weight)
    with pytest.raises(BadSubmission, match=r"missing: (first|second).weight"):
        filled(Tied(tied=False), tmp_path / "w.safetensors")


def test_weights_that_the_model_ties_and_the_file_does_not_are_refused(tmp_path: Path) -> None:
    path = written(Tied(tied=False).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(
        BadSubmission, match=r"first.weight and second.weight are one tensor in the model, but not the same"
    ):
        filled(Tied(), path)
    filled(Tied(), written(Tied().state_dict(), path))  # twice the same, as train writes it


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("mask", torch.tensor([[0.0, -torch.inf], [0, 0]]), True),
        ("mask", torch.tensor([[1.0, -torch.inf], [2, 3]]), True),
        ("mask", torch.tensor([[0.0, torch.inf], [0, 0]]), False),
        ("mask", torch.tensor([[-torch.inf, -torch.inf], [0, 0]]), False),
        ("mask", torch.tensor([[0.0, -torch.inf], [0, torch.nan]]), False),
        ("first.bias", torch.tensor([0.0, -torch.inf, 0]), False),
    ],
)
def test_infinities_are_taken_where_the_models_own_buffer_has_them(
    tmp_path: Path, key: str, value: torch.Tensor, allowed: bool
) -> None:
    path = written(Tied().state_dict() | {key: value}, tmp_path / "w.safetensors")
    if allowed:
        assert torch.equal(filled(Tied(), path).state_dict()[key], value)
        return
    with pytest.raises(BadSubmission, match=f"{key} holds values that are not finite"):
        filled(Tied(), path)


class Runs:
    """Pickled, it runs code when it is read."""

    def __reduce__(self) -> Any:
        return print, ("this must not be printed",)


def checkpoints() -> dict[str, Any]:
    state = nn.Linear(3, 2).half().state_dict()
    wrapped = {f"module._orig_mod.{key}": value for key, value in state.items()}
    arguments = {
        "args": argparse.Namespace(lr=0.1),
        "best": np.float64(0.5),
        "curve": np.zeros(3, np.float32),
    }
    return {
        "plain": state,
        "container": {"net": state, "optimizer": {"lr": 0.1}, "epoch": 3},
        "wrapped": {"state_dict": wrapped, "hyper_parameters": {}},
        "arguments": {"model": state, **arguments},
    }


@pytest.mark.parametrize(
    ("name", "container", "prefix"),
    [
        ("plain", "", ""),
        ("container", "net", ""),
        ("wrapped", "state_dict", "module._orig_mod."),
        ("arguments", "model", ""),
    ],
)
def test_a_checkpoint_becomes_weights_of_the_same_values_and_types(
    tmp_path: Path, name: str, container: str, prefix: str
) -> None:
    torch.save(checkpoints()[name], tmp_path / "a.pth")
    converted = convert_weights(tmp_path / "a.pth", tmp_path / "w.safetensors")
    assert (converted.container, converted.prefix, converted.tied) == (container, prefix, {})
    assert (converted.tensors, converted.values) == (2, 8)
    state = load_file(tmp_path / "w.safetensors")
    content = torch.load(tmp_path / "a.pth", weights_only=False)
    expected = content[container] if container else content
    assert {prefix + key for key in state} == set(expected)
    assert {value.dtype for value in state.values()} == {torch.float16}
    assert all(torch.equal(value, expected[prefix + key]) for key, value in state.items())
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_tied_weights_of_a_checkpoint_are_written_once_and_views_whole(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    torch.save(Tied().state_dict() | {"view": whole[2:5], "whole": whole}, tmp_path / "a.pth")
    converted = convert_weights(tmp_path / "a.pth", tmp_path / "w.safetensors")
    assert converted.tied == {"second.weight": "first.weight"}
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert file.metadata() == converted.tied
        assert file.get_tensor("view").tolist() == [2, 3, 4]


def scripted(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(nn.Linear(3, 2)).save(path)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            Runs(),
            "it cannot be read without running code in it (print); allowed: tensors in tables",
        ),
        (nn.Linear(3, 2), "without running code in it (torch.nn.modules.linear.Linear)"),
        (
            [torch.ones(2)],
            "it holds a list; allowed: tensors by key; where it was trained: torch.save(model.state_dict(), FILE)",
        ),
        ({"a": torch.ones(2), "b": 3}, "b is no tensor; allowed: tensors by key"),
        (
            {"epoch": 3},
            "it has no weights under a known name; allowed: one of state_dict, model_state_dict, model, net; where",
        ),
        ({"model": {"a": torch.ones(2)}, "net": {"b": torch.ones(2)}}, "it has model and net; allowed"),
        ({"generator": {"a": torch.ones(2)}}, "name the table with the weights: --key generator"),
        ({"net": {}}, "it has no tensor"),
        (b"no checkpoint", "it cannot be read; allowed: "),
        (b"", "it cannot be read: EOFError"),
        (scripted, "it cannot be read: RuntimeError: Cannot use"),
        (pickle.dumps({"a": 1}), "it cannot be read"),
    ],
)
def test_what_is_no_checkpoint_of_weights_is_one_line_and_nothing_is_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: Any, line: str
) -> None:
    path, out = tmp_path / "a.pth", tmp_path / "w.safetensors"
    if callable(content) and not isinstance(content, nn.Module):
        content(path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(BadSubmission) as refusal:
        convert_weights(path, out)
    assert line in str(refusal.value)
    assert "must not be printed" not in capfd.readouterr().out
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_says_what_it_did_and_never_overwrites_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = {f"module.{key}": value for key, value in Tied().state_dict().items()}
    torch.save({"model": state, "net": state}, tmp_path / "a.pth")
    out = tmp_path / "w.safetensors"
    arguments = ["convert-weights", tmp_path / "a.pth", "--out", out]
    assert refused(capsys, *arguments).endswith("name the table with the weights: --key model")
    status, text, err = run_cli(capsys, *arguments, "--key", "model")
    assert (status, err) == (0, "")
    assert text.splitlines() == [
        f"{out}: 4 tensors, 19 values from 'model'",
        "  taken off before every key: module.",
        "  second.weight is tied to first.weight, and written once",
    ]
    before = out.read_bytes()
    message = refused(capsys, *arguments, "--key", "net")
    assert message == f"{out}: exists already; name another file, or add --overwrite"
    assert out.read_bytes() == before
    _, text, _ = run_cli(capsys, *arguments, "--key", "net", "--overwrite", "--json")
    assert json.loads(text) == {
        "path": str(out),
        "container": "net",
        "prefix": "module.",
        "tied": {"second.weight": "first.weight"},
        "tensors": 4,
        "values": 19,
    }
    assert "a name that ends in .safetensors" in refused(capsys, *arguments[:-1], tmp_path / "w.pth")
    assert "there is no table 'nets'; allowed: model, net" in refused(
        capsys, *arguments, "--key", "nets", "--overwrite"
    )
    line = refused(capsys, *arguments, "--key", "net", "--strip", "model.", "--overwrite")
    assert "not every key begins with 'model.': " in line
