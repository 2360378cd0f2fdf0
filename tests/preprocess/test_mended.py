"""Times that had to be mended are counted in the store of events and in what `preprocess` prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eventbench.store.read import FrameStore
from tests.support.miniatures import run_cli, write_pipeline

CARD = """
sensor = [4, 4]
classes = ["a"]
obtain = { how = "ask" }
source = { name = "text_columns", sort = true }
layout = { name = "class_folders", folders = { train = "train", test = "test" }, suffix = ".csv" }
splits = { train = { samples = 2 }, test = { samples = 1 } }
"""


def test_events_that_were_sorted_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, times in {
        "train/a/1": [5, 3, 9, 7],
        "train/a/2": [1, 2, 3, 4],
        "test/a/1": [4, 3, 2, 9],
    }.items():
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("t,x,y,p\n" + "".join(f"{t},{t % 4},1,{t % 2}\n" for t in times))
    (tmp_path / "own.toml").write_text(CARD)
    command = ["preprocess", str(tmp_path / "own.toml"), "--data-dir", str(tmp_path)]
    command += ["--cache-dir", str(tmp_path / "cache")]
    status, out, err = run_cli(capsys, *command)
    assert (status, "  mended: 4 steps_back\n" in out) == (0, True), err
    (store,) = json.loads(run_cli(capsys, *command, "--json")[1])["stores"]
    assert (store["mended"], store["lost"], store["kept"]) == ({"steps_back": 4}, {}, 12)


def test_frames_of_a_finished_store_of_events_tell_it_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train/a/1", "train/a/2", "test/a/1"):
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        times = [5, 3, 9, 7] if name == "train/a/2" else [1, 2, 3, 4]
        path.write_text("t,x,y,p\n" + "".join(f"{t},{t % 4},1,{t % 2}\n" for t in times))
    (tmp_path / "own.toml").write_text(CARD)
    command = ["preprocess", str(tmp_path / "own.toml"), "--data-dir", str(tmp_path)]
    command += ["--cache-dir", str(tmp_path / "cache")]
    assert run_cli(capsys, *command)[0] == 0
    pipeline = write_pipeline(tmp_path / "frames-v1.toml")
    _, out, err = run_cli(capsys, *command, "--pipeline", pipeline, "--json")
    assert err == ""
    events, frames = json.loads(out)["stores"]
    assert (events["mended"], frames["mended"]) == ({"steps_back": 2}, {"steps_back": 2})
    assert FrameStore(Path(frames["path"])).mended["steps_back"].tolist() == [0, 0, 2]
