"""A folder of one's own files from training to its row: copied whole, known by all its files, called by its title."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch

from eventbench.leaderboard.check import check_evidence
from eventbench.leaderboard.entry import load_entry
from tests.support.miniatures import Miniature, miniature, refused, run_cli, write_pipeline
from tests.support.own_networks import PACKAGE, left_or_right, package_submission, write_files


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    return miniature(tmp_path_factory.mktemp("own"))


def options(mini: Miniature, *more: object) -> list[object]:
    return [
        "--task",
        mini.task,
        "--data-dir",
        mini.places.data,
        "--cache-dir",
        mini.places.cache,
        "--device",
        "cpu",
        *more,
    ]


def submitted(
    mini: Miniature, folder: Path, board: Path, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """What `submit --json` says."""
    status, out, err = run_cli(capsys, "submit", folder, *options(mini, "--board", board, "--json"))
    assert (status, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    return document


def test_a_folder_of_several_files_is_scored_and_its_record_names_each(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about = {"title": "A net in parts", "authors": ["A. Author"]}
    document = submitted(mini, package_submission(tmp_path / "s", about=about), tmp_path / "board", capsys)
    (row,) = document["rows"]
    assert (row["title"], row["model"], row["accuracy"]["mean"]) == ("A net in parts", "net.py:Net", 1)
    entry = load_entry(Path(document["path"]))
    assert check_evidence(entry) == []
    assert entry.record.code == hashlib.sha256(PACKAGE["net.py"].encode()).hexdigest()
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in PACKAGE.items()}
    assert entry.record.files == digests
    other = PACKAGE | {"blocks.py": PACKAGE["blocks.py"] + "# changed\n"}
    document = submitted(
        mini, package_submission(tmp_path / "t", other, about=about), tmp_path / "board", capsys
    )
    labels = [row["title"] for row in document["rows"]]
    assert labels == ["A net in parts", "A net in parts"]  # two rows: other files are another model
    board = run_cli(capsys, "compare", mini.task, "--board", tmp_path / "board")[1]
    assert board.count("A net in parts") == 2
    assert board.count("files=") == 2


def test_what_is_trained_is_copied_with_all_that_it_needs_and_runs_anywhere(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_files(tmp_path / "project", PACKAGE | {"unrelated.py": "1 / 0\n"})
    out = tmp_path / "s"
    train = ["train", project / "net.py:Net", *options(mini, "--epochs", 1, "--seed", 0, "--out", out)]
    message = refused(capsys, *train)
    assert (
        "net.py:Net: it cannot be made of the files that belong to it: the file does not run: FileNotFoundError"
        in message
    )
    assert message.endswith(
        "name what it reads from beside it: eventbench train --file FILE, which may be repeated"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["project"]
    assert run_cli(capsys, *train, "--file", project / "data/offset.json", "--title", "In parts")[0] == 0
    copied = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert copied == {*PACKAGE, "seed0.safetensors", "seed0.csv", "learning_curve.png", "submission.toml"}
    assert tomllib.loads((out / "submission.toml").read_text())["about"]["title"] == "In parts"
    shutil.rmtree(project)
    out.rename(tmp_path / "elsewhere")
    document = submitted(mini, tmp_path / "elsewhere", tmp_path / "board", capsys)
    assert set(load_entry(Path(document["path"])).record.files) == set(PACKAGE)
    assert document["rows"][0]["title"] == "In parts"


def test_a_submission_trained_again_keeps_all_its_files_and_is_called_by_its_class(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = package_submission(tmp_path / "s"), tmp_path / "s" / "trained"
    train = ["train", source / "net.py:Net", *options(mini, "--epochs", 1, "--seed", 0, "--out", out)]
    assert run_cli(capsys, *train)[0] == 0
    assert (out / "data/offset.json").read_text() == "0.25"
    assert not (out / "w.safetensors").exists()
    assert tomllib.loads((out / "submission.toml").read_text())["about"] == {"title": "Net"}
    again = [*train[:-1], tmp_path / "again"]
    assert run_cli(capsys, *again)[0] == 0
    assert not (tmp_path / "again/trained").exists()  # a submission of its own


@pytest.mark.parametrize("verb", ["submit", "submit --check", "train"])
def test_a_folder_with_another_pipeline_is_refused_in_a_line_that_names_the_tasks(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    folder = package_submission(tmp_path / "s")
    write_pipeline(folder / "pipeline.toml", bins=8)
    out, board = tmp_path / "out", tmp_path / "board"
    calls = {
        "submit": ["submit", folder, *options(mini, "--board", board)],
        "submit --check": ["submit", folder, "--check", *options(mini, "--board", board)],
        "train": ["train", folder / "net.py:Net", *options(mini, "--out", out)],
    }
    assert refused(capsys, *calls[verb]) == (
        f"{folder}/pipeline.toml: a pipeline of its own, which this task does not take; allowed: the task's mini_frames-v1, which "
        "every model of its board gets; take pipeline.toml out of the folder, and train on mini_frames-v1"
    )
    assert not out.exists() and not board.exists()


def test_a_folder_with_the_pipeline_of_the_task_is_fine(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = package_submission(tmp_path / "s")
    text = (
        "# the same values, written otherwise\n" + mini.pipeline.read_text() + '\n[about]\ntitle = "Mine"\n'
    )
    (folder / "pipeline.toml").write_text(text)
    document = submitted(mini, folder, tmp_path / "board", capsys)
    assert "pipeline.toml" in load_entry(Path(document["path"])).record.files


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, sensor, time_steps, classes):
        super().__init__()
        readout = nn.Linear(2 * sensor[0] * sensor[1], classes)
        SETUP

    def forward(self, frames):
        return self.readout(frames.sum(0).flatten(1).to(TYPE)).float()
"""
GROUP = """
        import tempfile
        if not torch.distributed.is_initialized():
            store = torch.distributed.FileStore(tempfile.mkstemp()[1], 1)
            torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
        self.readout = nn.parallel.DistributedDataParallel(readout)
"""


@pytest.mark.parametrize(
    ("setup", "kind", "prefix"),
    [
        ("self.readout = readout.half()", torch.float16, "readout."),
        ("self.readout = readout.bfloat16()", torch.bfloat16, "readout."),
        ("self.readout = torch.compile(readout, backend='eager')", torch.float32, "readout._orig_mod."),
        ("self.readout = nn.DataParallel(readout)", torch.float32, "readout.module."),
        (GROUP.strip(), torch.float32, "readout.module."),
    ],
    ids=["half", "bfloat16", "compiled", "DataParallel", "DistributedDataParallel"],
)
def test_a_network_of_another_type_or_in_a_wrapper_is_scored(
    mini: Miniature,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    setup: str,
    kind: torch.dtype,
    prefix: str,
) -> None:
    code = NET.replace("SETUP", setup).replace("TYPE", str(kind))
    state = {key.replace("readout.", prefix): value.to(kind) for key, value in left_or_right().items()}
    folder = package_submission(tmp_path / "s", {"net.py": code}, state)
    try:
        document = submitted(mini, folder, tmp_path / "board", capsys)
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
    assert document["rows"][0]["accuracy"]["mean"] == 1


def test_a_network_whose_convolutions_are_channels_last_is_scored(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = NET.replace(
        "SETUP",
        "self.conv = nn.Conv2d(2, 3, 1); self.readout = readout\n        self.to(memory_format=torch.channels_last)",
    )
    code = code.replace(
        "frames.sum(0).flatten(1).to(TYPE)",
        "(frames.sum(0) + 0 * self.conv(frames.sum(0).contiguous(memory_format=torch.channels_last))[:, :2]).flatten(1)",
    )
    conv = {"conv.weight": torch.ones(3, 2, 1, 1), "conv.bias": torch.zeros(3)}
    folder = package_submission(tmp_path / "s", {"net.py": code}, {**left_or_right(), **conv})
    assert submitted(mini, folder, tmp_path / "board", capsys)["rows"][0]["accuracy"]["mean"] == 1
