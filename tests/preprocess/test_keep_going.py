"""`preprocess --keep-going`: a broken file is left out and recorded; such a store is not ranked where the card pins its samples."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import pytest

from eventbench.store.read import EventStore, FrameStore
from tests.support.miniatures import (
    Miniature,
    atis_bytes,
    miniature,
    refused,
    run_cli,
    sided_events,
    write_task,
)

GROWING: dict[str, Any] = {"splits": {"train": {}, "test": {}}}


def broken(folder: Path, **card: Any) -> Miniature:
    """A miniature with a recording that is cut."""
    mini = miniature(folder, train=12, test=4, **card)
    mini.file("train", 3).write_bytes(b"\x00" * 7)
    return mini


def preprocess(mini: Miniature, capsys: pytest.CaptureFixture[str], *more: object) -> dict[str, Any]:
    status, out, err = run_cli(
        capsys, "preprocess", mini.card, "--pipeline", mini.pipeline, *mini.flags, "--json", *more
    )
    assert (status, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    return document


def test_a_broken_file_is_left_out_and_recorded_in_both_stores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = broken(tmp_path, **GROWING)
    assert "00003.bin" in refused(capsys, "preprocess", mini.card, *mini.flags)
    document = preprocess(mini, capsys, "--keep-going")
    assert list(document["refused"]) == ["train/00003"]
    assert (document["read"], [store["samples"] for store in document["stores"]]) == (16, [15, 15])
    events, frames = (Path(store["path"]) for store in document["stores"])
    for store in (EventStore(events), FrameStore(frames)):
        (left_out,) = store.left_out
        assert (left_out.id, left_out.split, left_out.label) == ("train/00003", "train", 0)
        assert left_out.reason.startswith("train/left/00003.bin: ")
        assert str(tmp_path) not in left_out.reason
        assert store.damaged() == []
    # It is there the next time, and says so.
    again = preprocess(mini, capsys, "--keep-going")
    assert [store["found"] for store in again["stores"]] == [15, 15]
    assert list(again["refused"]) == ["train/00003"]
    _, out, _ = run_cli(capsys, "preprocess", mini.card, *mini.flags, "--keep-going")
    assert "16 recordings, 1 refused and left out\n  left out: train/left/00003.bin: " in out
    # Without the option it is no complete store.
    assert "00003.bin" in refused(capsys, "preprocess", mini.card, *mini.flags)


def test_a_file_that_is_mended_joins_the_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mini = broken(tmp_path, **GROWING)
    preprocess(mini, capsys, "--keep-going")
    mini.file("train", 3).write_bytes(atis_bytes(sided_events(0, 3)))
    document = preprocess(mini, capsys, "--keep-going")
    assert document["refused"] == {}
    assert [store["samples"] for store in document["stores"]] == [16, 16]


def test_a_run_that_was_refused_goes_on_and_nothing_but_broken_files_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = broken(tmp_path, **GROWING)
    refused(capsys, "preprocess", mini.card, *mini.flags)
    interrupted = preprocess(mini, capsys, "--keep-going")["stores"][0]
    other = tmp_path / "other"
    shutil.copytree(mini.places.data, other / "raw")
    flags = ("--data-dir", other / "raw", "--cache-dir", other / "stores")
    _, out, _ = run_cli(capsys, "preprocess", mini.card, *flags, "--keep-going", "--json")
    at_once = json.loads(out)["stores"][0]
    assert (at_once["events"], at_once["samples"]) == (interrupted["events"], interrupted["samples"])
    for path in mini.raw.rglob("*.bin"):
        path.write_bytes(b"\x00" * 7)
    line = refused(capsys, "preprocess", mini.card, *mini.flags, "--keep-going")
    assert "and 15 more refused" in line


@pytest.mark.parametrize("pinned", [False, True])
def test_only_a_card_that_pins_nothing_is_ranked_with_such_a_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pinned: bool
) -> None:
    mini = broken(tmp_path, **({} if pinned else GROWING))
    write_task(mini.task, mini)
    preprocess(mini, capsys, "--keep-going")
    train = ("train", "event_count", "--task", mini.task, *mini.flags, *mini.board, "--seed", 0)
    if pinned:
        line = refused(capsys, *train, "--out", tmp_path / "s")
        assert "1 recording is left out of it (--keep-going), and mini pins its samples" in line
        # The card is no shipped one: its path names it.
        assert f"it cannot be ranked; mend train/00003 and run eventbench preprocess {mini.card}" in line
        run_cli(capsys, "new", "submission", tmp_path / "new", "--task", mini.task)
        submit = ("submit", tmp_path / "new", "--task", mini.task, *mini.flags, *mini.board)
        assert refused(capsys, *submit) == line
        assert refused(capsys, *submit, "--store", "events").endswith(line.partition(": ")[2])
        return
    for arguments in (
        (*train, "--out", tmp_path / "s"),
        ("submit", tmp_path / "s", "--task", mini.task, *mini.flags, *mini.board),
    ):
        status, _, err = run_cli(capsys, *arguments)
        assert status == 0
        (line,) = err.splitlines()
        assert line.endswith(" (--keep-going): train/00003")


def flip_last_byte_of(store: str, column: str) -> None:
    with h5py.File(store) as file:
        place = file[column].id.get_offset() + file[column].nbytes - 1
    with Path(store).open("r+b") as raw:
        raw.seek(place)
        byte = raw.read(1)[0]
        raw.seek(place)
        raw.write(bytes([byte ^ 0xFF]))


@pytest.mark.parametrize("pinned", [False, True])
def test_such_a_store_is_no_broken_one_and_is_repaired_with_the_same_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pinned: bool
) -> None:
    mini = broken(tmp_path, **({} if pinned else GROWING))
    stores = [store["path"] for store in preprocess(mini, capsys, "--keep-going")["stores"]]
    before = [Path(store).read_bytes() for store in stores]
    own = ("--card", mini.card, "--pipeline", mini.pipeline)
    cache = mini.flags[2:]
    assert run_cli(capsys, "cache", "verify", *own, *cache)[0] == 0
    flip_last_byte_of(stores[0], "events/dt")
    flip_last_byte_of(stores[1], "frames/value")
    assert run_cli(capsys, "cache", "verify", *own, *cache)[0] == 1
    status, out, err = run_cli(capsys, "cache", "repair", *own, *mini.flags)
    assert (status, err) == (0, ""), out
    assert out.count("15 samples (was: ") == 2
    assert [Path(store).read_bytes() for store in stores] == before


def test_repair_leaves_out_nothing_that_was_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mini = broken(tmp_path, **GROWING)
    events, _ = (store["path"] for store in preprocess(mini, capsys, "--keep-going")["stores"])
    flip_last_byte_of(events, "events/dt")
    damaged = Path(events).read_bytes()
    mini.file("train", 5).write_bytes(b"\x00" * 7)
    status, out, _ = run_cli(capsys, "cache", "repair", "--card", mini.card, *mini.flags)
    assert status == 1
    assert "not repaired: " in out
    assert "train/left/00005.bin: " in out
    assert "00003.bin" not in out
    assert Path(events).read_bytes() == damaged


def test_ls_and_explain_say_what_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mini = broken(tmp_path, **GROWING)
    preprocess(mini, capsys, "--keep-going")
    cache = mini.flags[2:]
    _, out, _ = run_cli(capsys, "cache", "ls", "--card", mini.card, *cache)
    assert out.count(": 15 samples (1 left out), ") == 2
    _, out, _ = run_cli(capsys, "cache", "explain", mini.card, *cache)
    assert "complete, 15 samples (1 left out), " in out
    assert "\n  left out: train/00003: train/left/00003.bin: " in out
    assert ".h5: " in out.splitlines()[-1]
    assert out.splitlines()[-1].endswith(", 15 samples (1 left out)")
    document = json.loads(run_cli(capsys, "cache", "explain", mini.card, *cache, "--json")[1])
    assert list(document["left_out"]) == ["train/00003"]
    assert [item["left_out"] for item in document["others"]] == [1]
