"""Submissions scored: a sound one becomes a record that holds together, any other one line and no record."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from eventbench.leaderboard.check import check_evidence
from eventbench.leaderboard.entry import load_entry
from eventbench.leaderboard.records import read_records
from eventbench.loading.task_data import TaskData
from eventbench.training.train_submission import train_submission
from tests.support.miniatures import (
    Miniature,
    miniature,
    refused,
    run_cli,
    write_task,
    write_toml,
)
from tests.support.small_nets import LINEAR_NET, TINY

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    return miniature(tmp_path_factory.mktemp("submit"))


@pytest.fixture(scope="module")
def task_data(mini: Miniature) -> TaskData:
    return TaskData(mini.order, mini.places, CPU)


@pytest.fixture(scope="module")
def trained(task_data: TaskData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission of `conv_snn` with two seeds, hardly trained."""
    folder = tmp_path_factory.mktemp("trained") / "s"
    train_submission(task_data, "conv_snn", TINY, [0, 1], folder, epochs=1)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "s")


def own(folder: Path, code: str = LINEAR_NET, **changes: Any) -> Path:
    """A submission written by hand: a network of one's own, with weights that tell left from right."""
    folder.mkdir()
    (folder / "my_model.py").write_text(code)
    weight = torch.zeros(2, 2, 6, 8)
    weight[0, :, :, :4] = weight[1, :, :, 4:] = 1
    state = {"readout.weight": weight.flatten(1), "readout.bias": torch.tensor([0.0, 0.5])}
    save_file(state, folder / "w.safetensors")
    write_toml(
        folder / "submission.toml",
        {"model": {"name": "my_model.py:MyNet"}, "weights": ["w.safetensors"]} | changes,
    )
    return folder


def arguments(mini: Miniature, folder: Path, board: Path) -> list[object]:
    return ["submit", folder, "--task", mini.task, *mini.flags, "--board", board, "--device", "cpu"]


def files(board: Path) -> list[Path]:
    return sorted(path for path in board.rglob("*") if path.is_file())


def test_a_trained_submission_becomes_a_record_that_holds_together(
    mini: Miniature, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = tmp_path / "board"
    status, out, err = run_cli(capsys, *arguments(mini, folder, board))
    assert (status, err) == (0, "")
    record, predictions = (next(board.rglob(name)) for name in ("*Z-*.json", "*.predictions.csv"))
    assert out.splitlines()[-1] == f"record: {record}"
    assert record.parent == board / "records" / "mini-v1" / "conv_snn"
    entry = load_entry(record)
    assert check_evidence(entry) == []
    assert [run.seed for run in entry.record.runs] == [0, 1]
    assert (entry.record.samples, entry.record.classes) == (10, 2)
    lines = predictions.read_text().splitlines()
    assert lines[0] == "id,label,seed0,seed1"
    assert [line.split(",")[:2] for line in lines[1:]] == [
        [f"test/{k:05d}", str((k - 1) % 2)] for k in range(1, 11)
    ]
    text = record.read_text()
    assert str(tmp_path) not in text
    assert str(mini.card.parent) not in text


def test_a_network_of_ones_own_is_scored(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = tmp_path / "board"
    status, out, err = run_cli(capsys, *arguments(mini, own(tmp_path / "s"), board), "--json")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert document["rows"][0]["accuracy"]["mean"] == 1
    entry = load_entry(Path(document["path"]))
    assert entry.path.parent.name == "MyNet"
    assert check_evidence(entry) == []
    assert entry.record.runs[0].scores["parameters"].value == 2 * 96 + 2


def test_scoring_twice_gives_the_same_predictions(
    mini: Miniature, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = []
    for board in (tmp_path / "a", tmp_path / "b"):
        assert run_cli(capsys, *arguments(mini, folder, board))[0] == 0
        contents.append(next(board.rglob("*.predictions.csv")).read_bytes())
    assert contents[0] == contents[1]


def test_check_holds_to_the_contract_and_writes_nothing(
    mini: Miniature, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = tmp_path / "board"
    status, out, err = run_cli(capsys, *arguments(mini, folder, board), "--check")
    assert (status, err) == (0, "")
    assert out == f"{folder}: 2 runs hold to the contract of mini-v1; nothing was scored or written\n"
    assert files(board) == []
    status, out, _ = run_cli(capsys, *arguments(mini, folder, board), "--check", "--json")
    assert json.loads(out) == {
        "folder": str(folder),
        "task": "mini-v1",
        "runs": 2,
        "check": "passed",
        "notes": [],
    }
    assert files(board) == []


def test_what_a_model_prints_is_not_on_stdout_with_json(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own(tmp_path / "s", "print('made')\n" + body("print('called'); " + GOOD + "return scores"))
    for only_check in (["--check"], []):
        command = [*arguments(mini, folder, tmp_path / "board"), *only_check, "--json"]
        status, out, err = run_cli(capsys, *command)
        assert status == 0
        assert isinstance(json.loads(out), dict)
        assert "called" in err


# A network that breaks its contract


def body(line: str) -> str:
    """The network with another last line."""
    return LINEAR_NET[: LINEAR_NET.rindex("        return")] + "".join(
        f"        {part}\n" for part in line.split("; ")
    )


GOOD = "scores = self.readout(frames.sum(0).flatten(1)); "


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (
            LINEAR_NET.replace("super().__init__()", "raise ValueError('no')"),
            "the model cannot be made: ValueError: no",
        ),
        (LINEAR_NET.replace("sensor, time_steps", "time_steps"), "the model cannot be made: TypeError: "),
        (
            body("raise ValueError('no')"),
            "forward raised ValueError: no (my_model.py, line 11); it is called with frames (4, ",
        ),
        (body("raise SystemExit(0)"), "forward raised SystemExit: 0"),
        (
            body(GOOD + "return scores[:, :1]"),
            "forward returned shape (8, 1); allowed: a float tensor (N, K) = (8, 2)",
        ),
        (body(GOOD + "return scores[0]"), "forward returned shape (2,); allowed: "),
        (body(GOOD + "return (scores, scores)"), "forward returned tuple; allowed: "),
        (body(GOOD + "return scores.long()"), "forward returned torch.int64; allowed: "),
        (body(GOOD + "return scores * float('nan')"), "8 of 8 samples have scores that are not finite"),
        (body(GOOD + "return scores / (frames.sum() * 0)"), "samples have scores that are not finite"),
        (
            body(GOOD + "return scores - scores.mean(0)"),
            "samples depend on the other samples of the batch; state must start fresh",
        ),
        (
            body(GOOD + "return nn.functional.batch_norm(scores, None, None, training=True)"),
            "samples depend on the other samples of the batch",
        ),
        (
            body(GOOD + "return scores.cumsum(0)"),
            "samples depend on the order of the batch",
        ),
        (
            body(GOOD + "self.calls = getattr(self, 'calls', 0) + 1; return scores * self.calls"),
            "samples change when the model is called twice",
        ),
        (
            body(GOOD + "return nn.functional.dropout(scores, 0.5)"),
            "samples change when the model is called twice",
        ),
        (
            body("frames.clamp_(max=1); " + GOOD + "return scores"),
            "forward changes its frames in place; begin it with frames = frames.clone()",
        ),
        (
            body(GOOD + "self.register_buffer('seen', scores.mean(0)); return scores"),
            "forward makes, removes or resizes 'seen': a file of weights would not fit",
        ),
        # A constant that is added to all scores hides nothing.
        (
            body(GOOD + "return nn.functional.dropout(scores, 0.5) + 1e4"),
            "samples change when the model is called twice",
        ),
        (
            body(GOOD + "return 1e4 + scores - scores.mean(0)"),
            "samples depend on the other samples of the batch",
        ),
        (
            body(
                GOOD + "self.kept = scores.mean() + getattr(self, 'kept', 0); return 1e4 + scores * self.kept"
            ),
            "samples change when the model is called twice",
        ),
        (
            body(GOOD + "return scores * (1 if len(scores) > 1 else -1)"),
            "1 of 1 samples depend on how many samples are in the batch",
        ),
        (
            LINEAR_NET.replace("nn.Linear(2 * sensor[0] * sensor[1],", "nn.LazyLinear("),
            "readout is a LazyLinear: its weights have no shape until it is called; give the layer its sizes",
        ),
        (
            LINEAR_NET.replace("import torch", "import torhc"),
            "the file does not run: ModuleNotFoundError: No module named 'torhc'",
        ),
        (
            LINEAR_NET.replace("class MyNet", "class Net"),
            "no class named 'MyNet'; allowed: Net; did you mean 'Net'?",
        ),
    ],
)
@pytest.mark.parametrize("only_check", [["--check"], []], ids=["check", "score"])
def test_a_network_that_breaks_its_contract_is_refused_without_a_record(
    mini: Miniature,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    code: str,
    line: str,
    only_check: list[str],
) -> None:
    board = tmp_path / "board"
    message = refused(capsys, *arguments(mini, own(tmp_path / "s", code), board), *only_check)
    assert line in message
    assert files(board) == []


def test_a_figure_that_cannot_be_computed_is_said_and_all_others_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = miniature(tmp_path / "mini")
    write_task(mini.task, mini, metrics=["accuracy", "firing_rate"])
    code = body(GOOD + "return self.fires(scores)").replace(
        "super().__init__()", "super().__init__(); self.fires = Fires()"
    )
    code += (
        "\nclass Fires(nn.Module):\n    spiking = True\n\n    def forward(self, x):\n        return 2 * x\n"
    )
    submission, board = own(tmp_path / "s", code), tmp_path / "board"
    why = r"firing_rate not counted: \d+ outputs of the spiking layer 'fires' are neither 0 nor 1"
    status, out, _ = run_cli(capsys, *arguments(mini, submission, board), "--check")
    assert status == 0
    assert re.search(why, out)
    status, out, _ = run_cli(capsys, *arguments(mini, submission, board))
    assert status == 0
    assert re.search(why, " ".join(out.split()))
    (entry,) = read_records(board).entries
    assert set(entry.record.runs[0].scores) == {"accuracy", "accuracy.ties"}
    assert set(entry.record.runs[0].not_counted) == {"firing_rate"}
    assert check_evidence(entry) == []
    # A task may demand it.
    strict = write_task(
        tmp_path / "strict-v1.toml", mini, metrics=["accuracy", "firing_rate"], demands=["firing_rate"]
    )
    for only_check in (["--check"], []):
        message = refused(capsys, *arguments(mini._replace(task=strict), submission, board), *only_check)
        assert "firing_rate is not counted, and the task demands it: " in message
    assert len(read_records(board).entries) == 1


# A folder that does not hold together


def state(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load

    return load((folder / "seed1.safetensors").read_bytes())


def change_weights(change: Callable[[dict[str, torch.Tensor]], Any]) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        tensors = state(folder)
        change(tensors)
        save_file(tensors, folder / "seed1.safetensors")

    return harm


def change_toml(**changes: Any) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        stated = tomllib.loads((folder / "submission.toml").read_text())
        write_toml(folder / "submission.toml", stated | changes)

    return harm


BIAS = "network.readout.bias"
CONV = {"name": "conv_snn", "config": TINY}


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (change_weights(lambda s: s.pop(BIAS)), f"the weights are those of another model; missing: {BIAS}"),
        (
            change_weights(lambda s: s.update(more=torch.ones(1))),
            "the weights are those of another model; not in the model: more",
        ),
        (
            change_weights(lambda s: s.update({BIAS: torch.ones(3)})),
            f"{BIAS} is (3,); allowed: (2,), as in the model",
        ),
        (change_weights(lambda s: s[BIAS].fill_(float("nan"))), f"{BIAS} holds values that are not finite"),
        (
            change_weights(lambda s: s.update({BIAS: s[BIAS].double()})),
            f"{BIAS} is torch.float64; allowed: torch.float32",
        ),
        (
            change_weights(lambda s: s.update({BIAS: torch.zeros(2, dtype=torch.float8_e4m3fn)})),
            f"{BIAS} is torch.float8_e4m3fn; allowed: torch.float32",
        ),
        (
            lambda f: torch.save({}, f / "seed1.safetensors"),
            "seed1.safetensors: not a readable safetensors file: ",
        ),
        (
            lambda f: (f / "seed1.safetensors").write_bytes(b""),
            "seed1.safetensors: not a readable safetensors file: ",
        ),
        (
            lambda f: (f / "seed1.safetensors").unlink(),
            "seed1.safetensors is missing; put every weights file",
        ),
        (lambda f: (f / "submission.toml").unlink(), "no submission.toml; eventbench train writes one"),
        (lambda f: (f / "submission.toml").write_text("weights = ["), "submission.toml: not valid TOML: "),
        (
            change_toml(wieghts=[]),
            "submission.toml: unknown key 'wieghts' at '$'; allowed: model, weights, training, about; did you mean 'weights'?",
        ),
        (
            change_toml(model={"nam": "x"}),
            "submission.toml: unknown key 'nam' at '$.model'; allowed: name, config; did you mean 'name'?",
        ),
        (change_toml(model=CONV | {"name": "conv_sn"}), "no model named 'conv_sn'; allowed: conv_snn"),
        (change_toml(model=CONV | {"name": "my_model.py"}), "no model named 'my_model.py'"),
        (change_toml(model=CONV | {"name": "my_model.py:Net"}), "my_model.py: no such file"),
        (
            change_toml(model=CONV | {"name": "../x.py:Net"}),
            "the model is '../x.py:Net'; allowed: a file in the folder itself",
        ),
        (
            change_toml(model={"name": "conv_snn", "config": {"chanels": [4]}}),
            "model.config has 'chanels'; allowed: channels, dropout, tau",
        ),
        (change_toml(model={"name": "conv_snn", "config": {"sensor": [4, 4]}}), "model.config has 'sensor'"),
        (change_toml(weights=[]), "weights is an empty list; allowed: one safetensors file for each seed"),
        (
            change_toml(weights=["a.pt"]),
            "weights has 'a.pt'; allowed: files *.safetensors in the folder itself",
        ),
        (change_toml(weights=["../a.safetensors"]), "weights has '../a.safetensors'"),
        (change_toml(weights=["seed0.safetensors"] * 2), "weights names a file twice"),
        (change_toml(training={"seeds": [1]}), "training.seeds is [1]; allowed: 2 different whole numbers"),
        (
            change_toml(training={"seeds": [1, 1]}),
            "training.seeds is [1, 1]; allowed: 2 different whole numbers",
        ),
        (
            change_toml(training={"seeds": ["a", "b"]}),
            "training.seeds is ['a', 'b']; allowed: 2 different whole numbers",
        ),
        (
            change_toml(training={"seeds": [[0], [1]]}),
            "training.seeds is [[0], [1]]; allowed: 2 different whole numbers",
        ),
        (
            change_toml(training={"seeds": [True, 2]}),
            "training.seeds is [True, 2]; allowed: 2 different whole numbers",
        ),
    ],
)
def test_a_folder_that_does_not_hold_together_is_refused_without_a_record(
    mini: Miniature,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    harm: Callable[[Path], Any],
    line: str,
) -> None:
    harm(folder)
    board = tmp_path / "board"
    message = refused(capsys, *arguments(mini, folder, board))
    assert line in message
    assert files(board) == []


def test_a_task_that_is_not_there_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(capsys, "submit", folder, "--task", "nmnist_smal-v1", "--board", tmp_path / "b")
    assert "no task named 'nmnist_smal-v1'; allowed: " in message
    assert message.endswith("did you mean 'nmnist_small-v1'?")
    assert refused(capsys, "submit", folder) == "Missing option '--task'; see eventbench submit --help"


def test_a_metric_that_is_not_there_is_refused_without_a_record(
    mini: Miniature, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = write_task(tmp_path / "bad-v1.toml", mini, metrics=["accuracy", "acuracy"])
    board = tmp_path / "board"
    message = refused(capsys, "submit", folder, "--task", task, *mini.flags, "--board", board)
    assert "no metric named 'acuracy'" in message
    assert files(board) == []


def test_the_store_is_enough_and_raw_files_are_not_asked_for(
    mini: Miniature, task_data: TaskData, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = [
        "submit",
        folder,
        "--task",
        mini.task,
        "--cache-dir",
        mini.places.cache,
        "--board",
        tmp_path / "b",
    ]
    assert run_cli(capsys, *call, "--data-dir", tmp_path / "nowhere")[0] == 0
    message = refused(
        capsys, *call[:4], "--data-dir", tmp_path / "nowhere", "--cache-dir", tmp_path / "empty"
    )
    assert "0 of 24 recordings" in message


def test_a_board_that_cannot_be_written_is_refused(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "board").write_text("a file")
    message = refused(capsys, *arguments(mini, own(tmp_path / "s"), tmp_path / "board"))
    assert "the record cannot be written" in message


def test_two_submissions_with_a_file_of_the_same_name_do_not_share_a_class(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boards = [tmp_path / "a", tmp_path / "b"]
    lazy = body("return torch.ones(frames.shape[1], 2) * torch.tensor([0.0, 1.0])")
    for board, code in zip(boards, (LINEAR_NET, lazy), strict=True):
        assert run_cli(capsys, *arguments(mini, own(tmp_path / f"{board.name}s", code), board))[0] == 0
    first, second = (load_entry(next(board.rglob("*Z-*.json"))).record for board in boards)
    assert [run.scores["accuracy"].value for run in (*first.runs, *second.runs)] == [1.0, 0.5]
    assert first.code != second.code
    assert "my_model" not in sys.modules
