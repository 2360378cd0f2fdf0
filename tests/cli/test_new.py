"""eventbench new: from a folder to a card, a task and a submission, each of which works as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eventbench.specs import catalog
from tests.support.miniatures import atis_bytes, refused, run_cli, sided_events


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory elsewhere, and own/recordings of two classes by six people."""
    for number in range(48):
        side = number % 2
        name = f"user{number // 8}/{('left', 'right')[side]}/{number:03d}.bin"
        path = tmp_path / "own" / "recordings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(atis_bytes(sided_events(side, number)))
    for variable in ("DATA", "CACHE", "BOARD"):
        monkeypatch.setenv(f"EVENTBENCH_{variable}", str(tmp_path / variable.lower()))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "own"


def test_from_a_folder_to_a_scored_submission(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data-dir", folder / "recordings"]
    card, task = folder / "own.toml", folder / "own-v1.toml"
    status, out, err = run_cli(capsys, "new", "card", folder / "recordings", "--out", card, "--sensor", "8x6")
    assert (status, err) == (0, "")
    assert f"{card}: atis_bin, 8x6, 2 classes, 40 train, 8 test recordings" in out
    assert "guessed: subject: 6 subjects" in out
    assert run_cli(capsys, "preprocess", card, *data)[0] == 0
    status, out, err = run_cli(capsys, "new", "task", card)
    assert (status, err) == (0, "")
    assert f"{task}: written" in out
    rules = catalog.task(str(task)).spec
    assert (rules.dataset, rules.pipeline) == ("own.toml", "frames_t16-v1")
    assert (rules.validation.carve, rules.validation.by) == (0.2, "subject")
    submission = folder / "mine"
    status, out, err = run_cli(capsys, "new", "submission", submission, "--task", task)
    assert (status, err) == (0, "")
    status, out, err = run_cli(capsys, "submit", submission, "--task", task, *data, "--check")
    assert (status, err) == (0, "")
    model = f"{submission}/my_model.py:MyNet"
    trained = ("--seed", 0, "--epochs", 1, "--out", folder / "trained")
    assert run_cli(capsys, "train", model, "--task", task, *data, *trained)[0] == 0
    status, out, err = run_cli(capsys, "submit", folder / "trained", "--task", task, *data)
    assert (status, err) == (0, "")
    assert "MyNet" in out
    assert (folder / "trained/blocks.py").read_bytes() == (submission / "blocks.py").read_bytes()


def test_every_verb_says_in_json_what_it_wrote(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card, task = folder / "own.toml", folder / "t-v1.toml"
    _, out, _ = run_cli(capsys, "new", "card", folder / "recordings", "--out", card, "--json")
    document = json.loads(out)
    assert document["samples"] == {"train": 40, "test": 8}
    assert document["layout"]["pattern"] == "{subject}/{class}/{take}.bin"
    assert set(document["guessed"]) == {"classes", "subject", "splits", "sensor"}
    _, out, _ = run_cli(capsys, "new", "task", card, "--out", task, "--json")
    assert json.loads(out) == {"path": str(task), "files": [str(task)]}
    _, out, _ = run_cli(capsys, "new", "submission", folder / "s", "--task", task, "--json")
    names = ["my_model.py", "blocks.py", "submission.toml", "seed0.safetensors"]
    assert json.loads(out)["files"] == [str(folder / "s" / name) for name in names]


def test_a_task_for_a_large_sensor_has_a_pipeline_beside_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = folder / "own.toml"
    run_cli(capsys, "new", "card", folder / "recordings", "--out", card, "--sensor", "640x480")
    run_cli(capsys, "new", "task", card)
    assert (folder / "frames_t16_by10-v1.toml").is_file()
    rules = catalog.task(str(folder / "own-v1.toml"))
    pipeline = catalog.pipeline(rules.spec.pipeline, beside=rules.path)
    assert pipeline.spec.steps == [{"name": "downsample", "factor": 10}]
    status, _, err = run_cli(capsys, "new", "submission", folder / "s", "--task", folder / "own-v1.toml")
    assert (status, err) == (0, "")


def test_a_submission_without_a_task_has_no_weights_yet(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run_cli(capsys, "new", "submission", "--out", folder / "s", "--json")
    assert [Path(path).name for path in json.loads(out)["files"]] == [
        "my_model.py",
        "blocks.py",
        "submission.toml",
    ]
    assert "Missing argument 'DIR'" in refused(capsys, "new", "submission")


def test_a_task_of_a_shipped_card_names_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_cli(capsys, "new", "task", "sim_gesture", "--out", folder / "t-v1.toml")
    rules = catalog.task(str(folder / "t-v1.toml")).spec
    assert (rules.dataset, rules.pipeline, rules.validation.split) == (
        "sim_gesture", "frames_t16-v1", "validation",
    )  # fmt: skip


def test_nothing_is_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = folder / "own.toml"
    run_cli(capsys, "new", "card", folder / "recordings", "--out", card)
    run_cli(capsys, "new", "task", card)
    run_cli(capsys, "new", "submission", folder / "s", "--task", folder / "own-v1.toml")
    there = "it is there already; name another"
    assert there in refused(capsys, "new", "card", folder / "recordings", "--out", card)
    assert there in refused(capsys, "new", "task", card)
    assert there in refused(capsys, "new", "submission", folder / "s", "--task", folder / "own-v1.toml")
    assert "No such command 'cart'; did you mean 'card'?" in refused(capsys, "new", "cart")


def test_the_files_of_a_task_are_looked_for_beside_it_and_then_here(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    card, task = folder / "own.toml", folder / "own-v1.toml"
    run_cli(capsys, "new", "card", folder / "recordings", "--out", card, "--sensor", "8x6")
    run_cli(capsys, "new", "task", card)
    assert catalog.card("own.toml", beside=task).path == card
    moved = folder / "tasks" / "own-v1.toml"
    moved.parent.mkdir()
    task.rename(moved)
    line = refused(capsys, "submit", folder, "--task", moved, "--check")
    assert "no submission.toml" in line
    monkeypatch.chdir(folder)
    assert catalog.card("own.toml", beside=moved).path == Path("own.toml")
