"""A submission folder: what it runs and reads, how often, and what it refuses."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from eventbench.errors import BadSubmission, UnknownName
from eventbench.submission.folder import SubmissionFolder
from eventbench.submission.user_code import load_code
from tests.support.miniatures import write_toml
from tests.support.small_nets import COUNT_RUNS, LINEAR_NET


def submission(folder: Path, code: str = LINEAR_NET) -> Path:
    """A network of one's own for frames of 4x3 pixels and two classes, and two files of weights."""
    folder.mkdir()
    (folder / "my_model.py").write_text(code)
    for seed in (0, 1):
        state = {"readout.weight": torch.full((2, 24), float(seed)), "readout.bias": torch.zeros(2)}
        save_file(state, folder / f"seed{seed}.safetensors")
    write_toml(
        folder / "submission.toml",
        {"model": {"name": "my_model.py:MyNet"}, "weights": ["seed0.safetensors", "seed1.safetensors"]},
    )
    return folder


def test_the_file_is_executed_once_for_all_that_is_asked_of_the_folder(tmp_path: Path) -> None:
    opened = SubmissionFolder(submission(tmp_path / "s", COUNT_RUNS + LINEAR_NET))
    for weights in opened.spec.weights:
        opened.filled_model(weights, (4, 3), 5, 2)
    opened.model((4, 3), 5, 2)
    assert opened.code.digest == hashlib.sha256((COUNT_RUNS + LINEAR_NET).encode()).hexdigest()
    assert (tmp_path / "s/my_model.py.runs").read_text() == "x"


def test_a_filled_model_has_the_weights_of_its_file_and_their_digest(tmp_path: Path) -> None:
    opened = SubmissionFolder(submission(tmp_path / "s"))
    assert opened.seeds == [0, 1]
    for seed, weights in enumerate(opened.spec.weights):
        filled = opened.filled_model(weights, (4, 3), 5, 2)
        (opened.folder / weights).rename(tmp_path / weights)  # what was read is not read again
        assert filled.digest == hashlib.sha256((tmp_path / weights).read_bytes()).hexdigest()
        assert set(filled.model.state_dict()["readout.weight"].flatten().tolist()) == {float(seed)}
        scores = filled.model(torch.ones(5, 1, 2, 3, 4))
        assert scores.tolist() == [[5 * 24 * seed] * 2]


def test_weights_of_other_frames_are_refused(tmp_path: Path) -> None:
    opened = SubmissionFolder(submission(tmp_path / "s"))
    with pytest.raises(
        BadSubmission, match=r"readout.weight is \(2, 24\); allowed: \(2, 40\), as in the model"
    ):
        opened.filled_model("seed0.safetensors", (5, 4), 5, 2)


def test_code_of_the_package_is_told_from_a_submitters(tmp_path: Path) -> None:
    own, package = load_code("my_model.py:MyNet", submission(tmp_path / "s")), load_code("conv_snn")
    assert (own.submitted, package.submitted) == (True, False)
    assert (own.file, package.file.name) == (tmp_path / "s/my_model.py", "conv_snn.py")
    with pytest.raises(UnknownName, match="did you mean 'conv_snn'"):
        load_code("conv_snm")
    with pytest.raises(BadSubmission, match="allowed: a file in the folder itself"):
        load_code("../my_model.py:MyNet", tmp_path / "s")
