"""Scoring: what is read and made only once, what is left unchanged, scores of each step, the environment."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from safetensors.torch import save_file

from eventbench.errors import BadSubmission
from eventbench.leaderboard.check import check_evidence
from eventbench.leaderboard.write import write_record
from eventbench.loading.task_data import TaskData
from eventbench.scoring import environment
from eventbench.scoring.checked_runs import checked_runs
from eventbench.scoring.harness import score
from eventbench.specs import catalog
from eventbench.specs.record import Record
from eventbench.submission.folder import SubmissionFolder
from tests.support.miniatures import Miniature, miniature, refused, run_cli, write_task, write_toml
from tests.support.small_nets import LINEAR_NET

CPU = torch.device("cpu")

STEPS = """
    def scores_per_step(self, frames):
        return self.readout(frames.flatten(2))
"""
MEAN_NET = (
    LINEAR_NET.replace("self.readout(frames.sum(0).flatten(1))", "self.scores_per_step(frames).mean(0)")
    + STEPS
)


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    return miniature(tmp_path_factory.mktemp("score"))


def data_of(mini: Miniature, path: Path, **changes: Any) -> TaskData:
    """The miniature's task with `changes`, as `path`."""
    return TaskData(catalog.task(str(write_task(path, mini, **changes))), mini.places, CPU)


def submission(folder: Path, code: str, seeds: int = 1, **state: torch.Tensor) -> Path:
    """A submission of `code` with weights that tell left from right, the same for every seed."""
    folder.mkdir()
    (folder / "my_model.py").write_text(code)
    weight = torch.zeros(2, 2, 6, 8)
    weight[0, :, :, :4] = weight[1, :, :, 4:] = 1
    tensors = {"readout.weight": weight.flatten(1), "readout.bias": torch.tensor([0.0, 0.5]), **state}
    names = [f"seed{seed}.safetensors" for seed in range(seeds)]
    for name in names:
        save_file(tensors, folder / name)
    write_toml(folder / "submission.toml", {"model": {"name": "my_model.py:MyNet"}, "weights": names})
    return folder


@pytest.mark.parametrize("only_check", [["--check"], []], ids=["check", "score"])
def test_a_submitted_file_is_executed_once_and_each_weights_file_is_read_once(
    mini: Miniature,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    only_check: list[str],
) -> None:
    diary = tmp_path / "diary"
    code = f"def note(line):\n    with open({str(diary)!r}, 'a') as file:\n        file.write(line)\n\nnote('run\\n')\n"
    code += LINEAR_NET.replace("super().__init__()", "super().__init__(); note('made\\n')")
    folder = submission(tmp_path / "s", code, seeds=3)
    opened: Counter[str] = Counter()
    loads: list[int] = []
    path_open = Path.open

    def counted_open(path: Path, *arguments: Any, **options: Any) -> Any:
        opened[path.name] += 1
        return path_open(path, *arguments, **options)

    def counted_load(content: bytes) -> dict[str, torch.Tensor]:
        loads.append(len(content))
        return safetensors.torch.load(content)

    monkeypatch.setattr(Path, "open", counted_open)
    monkeypatch.setattr("eventbench.submission.folder.load", counted_load)
    call = [
        "submit",
        folder,
        "--task",
        mini.task,
        *mini.flags,
        "--board",
        tmp_path / "board",
        "--device",
        "cpu",
    ]
    assert run_cli(capsys, *call, *only_check)[0] == 0
    lines = Counter(diary.read_text().splitlines())
    assert lines["run"] == 1
    assert lines["made"] == 3  # a model for each run: the one that was checked is the one that was scored
    assert len(loads) == 3
    assert {name: opened[name] for name in opened if name.endswith(".safetensors")} in (
        {f"seed{seed}.safetensors": 1 for seed in range(3)},
        {},  # where read_bytes does not go through Path.open
    )


def test_a_model_that_changes_its_parameters_is_refused(mini: Miniature, tmp_path: Path) -> None:
    code = LINEAR_NET.replace(
        "self.readout =", "self.calls = nn.Parameter(torch.zeros(1)); self.readout ="
    ).replace("        return", "        self.calls.data += 1\n        return")
    folder = submission(tmp_path / "s", code, calls=torch.zeros(1))
    task_data = data_of(mini, tmp_path / "t-v1.toml")
    with pytest.raises(
        BadSubmission, match="the parameter 'calls' is changed by a forward in eval mode"
    ) as caught:
        score(task_data, SubmissionFolder(folder))
    assert "my_model.py:MyNet with seed0.safetensors" in str(caught.value)


def test_buffers_are_as_in_the_file_when_the_scoring_begins(mini: Miniature, tmp_path: Path) -> None:
    code = LINEAR_NET.replace(
        "self.readout =", "self.register_buffer('calls', torch.zeros(1)); self.readout ="
    ).replace("        return", "        self.calls += 1\n        return")
    folder = submission(tmp_path / "s", code, calls=torch.full((1,), 7.0))
    task_data = data_of(mini, tmp_path / "t-v1.toml")
    (run,) = checked_runs(task_data, SubmissionFolder(folder))
    assert dict(run.model.named_buffers())["model.calls"].item() == 7
    record, _ = score(task_data, SubmissionFolder(folder))
    assert record.runs[0].scores["accuracy"].value == 1


# Scores of each step


def scored(mini: Miniature, tmp_path: Path, code: str, **task: Any) -> tuple[Record, list[tuple[Any, ...]]]:
    folder = submission(tmp_path / "s", code)
    return score(data_of(mini, tmp_path / "t-v1.toml", **task), SubmissionFolder(folder))


def test_scores_of_each_step_are_asked_for_where_a_metric_of_the_task_needs_them(
    mini: Miniature, tmp_path: Path
) -> None:
    record, rows = scored(mini, tmp_path, MEAN_NET, metrics=["accuracy", "accuracy_per_step"])
    scores = record.runs[0].scores
    assert [name for name in scores if name.startswith("accuracy_per_step")] == [
        f"accuracy_per_step.step_{step:02}" for step in range(1, 5)
    ]
    last = scores["accuracy_per_step.step_04"]
    assert (last.value, last.low, last.high) == (
        scores["accuracy"].value,
        scores["accuracy"].low,
        scores["accuracy"].high,
    )
    assert check_evidence(write_record(tmp_path / "board", record, rows)) == []


def test_a_model_without_scores_of_each_step_is_scored_without_that_figure(
    mini: Miniature, tmp_path: Path
) -> None:
    record, _ = scored(mini, tmp_path, LINEAR_NET, metrics=["accuracy", "accuracy_per_step"])
    assert set(record.runs[0].scores) == {"accuracy", "accuracy.ties"}


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (
            MEAN_NET.replace("scores_per_step(frames).mean(0)", "scores_per_step(frames).sum(0)"),
            "samples are not the mean over their steps; let forward return scores_per_step(frames).mean(0)",
        ),
        (
            LINEAR_NET + "\n    def scores_per_step(self, frames):\n        raise ValueError('no')\n",
            "scores_per_step raised ValueError: no (my_model.py, line 14); it is called with frames (4, 8, 2, 6, 8)",
        ),
        (
            LINEAR_NET + "\n    def scores_per_step(self, frames):\n        return 3\n",
            "scores_per_step returned int; allowed: a float tensor (T, N, K) = (T, 8, 2)",
        ),
    ],
)
def test_scores_of_each_step_that_are_wrong_are_refused_and_only_where_they_are_needed(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, line: str
) -> None:
    folder = submission(tmp_path / "s", code)
    task = write_task(tmp_path / "steps-v1.toml", mini, metrics=["accuracy", "accuracy_per_step"])
    board = ["--board", tmp_path / "board"]
    assert line in refused(capsys, "submit", folder, "--task", task, *mini.flags, *board, "--check")
    assert run_cli(capsys, "submit", folder, "--task", mini.task, *mini.flags, *board, "--check")[0] == 0


# The kind of task


def test_a_record_of_a_classification_names_no_kind(mini: Miniature, tmp_path: Path) -> None:
    record, rows = scored(mini, tmp_path, LINEAR_NET, kind="classification")
    entry = write_record(tmp_path / "board", record, rows)
    assert "kind" not in json.loads(entry.path.read_bytes())


def test_a_task_of_an_unknown_kind_is_refused(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = submission(tmp_path / "s", LINEAR_NET)
    task = write_task(tmp_path / "t-v1.toml", mini, kind="clasification")
    board = ["--board", tmp_path / "board"]
    assert refused(capsys, "submit", folder, "--task", task, *mini.flags, *board) == (
        "no kind of task named 'clasification'; allowed: classification; did you mean 'classification'?"
    )


# The environment


def test_the_record_says_the_precision_that_torch_was_set_to(mini: Miniature, tmp_path: Path) -> None:
    record, _ = scored(mini, tmp_path, LINEAR_NET)
    assert record.environment["precision"] == "float32"
    half = LINEAR_NET.replace(
        "return self.readout(frames.sum(0).flatten(1))",
        "x = frames.sum(0).flatten(1); w = self.readout; "
        "return nn.functional.linear(x.bfloat16(), w.weight.bfloat16(), w.bias.bfloat16()).float()",
    )
    assert half != LINEAR_NET
    (tmp_path / "half").mkdir()
    record, _ = scored(mini, tmp_path / "half", half)
    assert record.environment["precision"] == "bfloat16"  # of the products, whatever torch is set to
    torch.set_float32_matmul_precision("medium")
    try:
        assert environment.arithmetic_precision(CPU) == "bf16, convolutions in float32"
    finally:
        torch.set_float32_matmul_precision("highest")
    with torch.autocast("cpu", torch.bfloat16):
        assert environment.arithmetic_precision(CPU) == "bfloat16 (autocast)"
    assert environment.arithmetic_precision(CPU) == "float32"


@pytest.mark.parametrize(
    ("matmul", "cudnn", "capability", "precision"),
    [
        ("highest", True, (9, 0), "float32, convolutions in tf32"),
        ("high", True, (8, 0), "tf32"),
        ("high", False, (8, 9), "tf32, convolutions in float32"),
        ("highest", False, (9, 0), "float32"),
        ("high", True, (7, 5), "float32"),
    ],
)
def test_the_precision_of_a_gpu_has_cudnns_tf32_in_it(
    monkeypatch: pytest.MonkeyPatch, matmul: str, cudnn: bool, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    before = torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision(matmul)
    torch.backends.cudnn.allow_tf32 = cudnn
    try:
        assert environment.arithmetic_precision(torch.device("cuda")) == precision
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = before
