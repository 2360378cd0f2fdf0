"""eventbench ls: everything there is, a line each, and nothing heavy imported for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from eventbench import registry
from eventbench.cli.ls import command
from eventbench.errors import UnknownName
from eventbench.preprocess.events_store import events_store
from tests.support import board_builder
from tests.support.miniatures import miniature

KINDS = [
    "datasets",
    "pipelines",
    "sources",
    "writers",
    "layouts",
    "steps",
    "representations",
    "augmentations",
    "models",
    "metrics",
    "task_kinds",
    "tasks",
    "records",
    "stores",
]


def listed(tmp_path: Path, *arguments: str) -> str:
    where = ["--board", str(tmp_path / "board"), "--cache-dir", str(tmp_path / "stores")]
    result = CliRunner().invoke(command, [*arguments, *where])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_without_a_kind_every_kind_is_listed_with_its_members(tmp_path: Path) -> None:
    listings = json.loads(listed(tmp_path, "--json"))
    assert list(listings) == KINDS
    for family in (
        "sources",
        "writers",
        "layouts",
        "steps",
        "representations",
        "augmentations",
        "models",
        "metrics",
    ):
        assert [line["name"] for line in listings[family]] == getattr(registry, family).names()
        assert all(line["summary"] for line in listings[family]), family
    assert {"nmnist_small", "sim_gesture"} <= {line["name"] for line in listings["datasets"]}
    text = listed(tmp_path)
    assert "\n  nmnist " in text
    assert text.endswith("records: none\nstores: none\n")


def test_one_kind_is_a_line_a_member_and_nothing_else(tmp_path: Path) -> None:
    lines = listed(tmp_path, "datasets").splitlines()
    assert "nmnist_small" in {line.split()[0] for line in lines}
    (small,) = (line for line in lines if line.startswith("nmnist_small "))
    assert small.endswith(
        "  N-MNIST, the first 1,000 and 100 recordings: 34x34, 10 classes, 1,000 train, 100 test"
    )


def test_tasks_of_the_board_stand_beside_the_shipped_ones_and_a_broken_one_says_so(tmp_path: Path) -> None:
    board_builder.make_task(tmp_path / "board")
    (tmp_path / "board" / "tasks" / "odd-v1.toml").write_text("datset = 1")
    summaries = {
        line["name"]: line["summary"] for line in json.loads(listed(tmp_path, "tasks", "--json"))["tasks"]
    }
    assert summaries["gesture-v1"] == (
        "Simulated gestures, 16 frames: sim_gesture through frames16-v1, ranked by accuracy"
    )
    assert summaries["odd-v1"].startswith("cannot be read: odd-v1.toml: ")
    assert "nmnist_small-v1" in summaries


def test_records_show_their_accuracy_and_broken_ones_their_reason(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path / "board", [5, 10])
    entry.path.with_name("20261121T013001Z-00000000.json").write_text("{")
    sound, broken = sorted(listed(tmp_path, "records").splitlines())
    assert sound == f"{entry.id}  accuracy 85.00 %, 2 runs, re-run"
    assert broken.startswith("gesture-v1/tcja_net/20261121T013001Z-00000000  broken: ")


def test_stores_are_listed_by_their_file(tmp_path: Path) -> None:
    mini = miniature(tmp_path, train=2, test=2)
    path = events_store(mini.named_card, mini.places.data, mini.places.cache).store
    assert (
        listed(tmp_path, "stores")
        == f"mini/{path.name}  mini as events, {path.stat().st_size / 1000:,.1f} kB\n"
    )


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    error = CliRunner().invoke(command, ["modls"]).exception
    assert isinstance(error, UnknownName)
    assert str(error).startswith("no kind named 'modls'; allowed: augmentations, datasets, ")
    assert str(error).endswith("; did you mean 'models'?")


@pytest.mark.parametrize("arguments", [[], ["models"], ["stores"], ["records", "--json"]])
def test_ls_imports_neither_torch_nor_numba_nor_norse(tmp_path: Path, arguments: list[str]) -> None:
    mini = miniature(tmp_path, train=2, test=2)
    board_builder.add(tmp_path / "board", [5])
    events_store(mini.named_card, mini.places.data, mini.places.cache)
    program = (
        "import sys\n"
        "from eventbench.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "except SystemExit as done:\n"
        "    assert not done.code, done.code\n"
        "heavy = {'torch', 'numba', 'norse', 'tonic', 'h5py', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    where = ["--board", str(tmp_path / "board"), "--cache-dir", str(mini.places.cache)]
    done = subprocess.run(
        [sys.executable, "-c", program, "ls", *arguments, *where], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_help_names_every_kind() -> None:
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    words = " ".join(result.output.split())
    assert f"KIND is {', '.join(KINDS[:-1])} or {KINDS[-1]}." in words
