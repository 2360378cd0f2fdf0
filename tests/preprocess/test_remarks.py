"""What preprocess says of a folder: files it does not take, recordings without events, the same one in two splits."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eventbench.store.key import StoreKey
from eventbench.store.read import EventStore
from tests.support.miniatures import Miniature, miniature, npz_bytes, run_cli, sided_events, write_toml

OPEN: dict[str, dict[str, int]] = {"train": {}, "test": {}}


@pytest.fixture
def own(tmp_path: Path) -> Miniature:
    """A data set of .npz files whose card leaves the counts open."""
    mini = miniature(tmp_path, train=4, test=2, splits=OPEN)
    for path in mini.raw.rglob("*.bin"):
        events = np.array(sided_events(int(path.stem) % 2, int(path.stem)))
        put(path.with_suffix(".npz"), events)
        path.unlink()
    table = {
        "sensor": [8, 6],
        "classes": ["left", "right"],
        "source": {"name": "numpy_columns"},
        "layout": {
            "name": "class_folders",
            "folders": {"train": "train", "test": "test"},
            "suffix": ".npz",
        },
        "splits": OPEN,
        "obtain": {"how": "ask for it"},
    }
    for path in (mini.raw / "test").rglob("*.npz"):  # other events than those of train
        put(path, np.array(sided_events(int(path.stem) % 2, 100 + int(path.stem))))
    write_toml(mini.card, table)
    return mini


def put(path: Path, events: np.ndarray) -> None:
    path.write_bytes(npz_bytes(**dict(zip("txyp", events.reshape(-1, 4).T, strict=True))))


def remarks(own: Miniature, capsys: pytest.CaptureFixture[str]) -> list[tuple[Any, ...]]:
    status, out, err = run_cli(capsys, "preprocess", own.card, *own.flags, "--rebuild", "--json")
    assert (status, err) == (0, "")
    return [(remark["kind"], remark["files"], remark["what"]) for remark in json.loads(out)["remarks"]]


def test_a_sound_folder_has_no_remarks_and_may_grow(
    own: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    assert remarks(own, capsys) == []
    put(own.raw / "train" / "left" / "00009.npz", np.array(sided_events(0, 9)))
    assert remarks(own, capsys) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("train/left/7.NPZ", "its ending is .NPZ, the card takes .npz"),
        ("train/left/7.aedat", "its ending is .aedat, the card takes .npz"),
        ("train/left/7.xyz", "its ending is .xyz, the card takes .npz"),
        ("train/left/._7.npz", "macOS's note on a file, and no recording"),
        ("train/left/session 2/7.npz", "it is a folder too deep"),
        ("train/up/7.npz", "the card does not name the folder train/up; its classes: left, right"),
        ("val/left/7.npz", "the card does not name the folder val/left; its classes: left, right"),
    ],
)
def test_a_file_that_is_not_taken_is_named(
    own: Miniature, capsys: pytest.CaptureFixture[str], name: str, why: str
) -> None:
    path = own.raw / name
    path.parent.mkdir(parents=True, exist_ok=True)
    put(path, np.array(sided_events(0, 77)))
    (own.raw / "README.md").write_text("notes")
    assert remarks(own, capsys) == [("not taken", [name], why)]
    _, out, _ = run_cli(capsys, "preprocess", own.card, *own.flags)
    assert f"  not taken: {name}: {why}\n" in out


def test_a_class_without_recordings_is_named_and_a_folder_that_was_renamed(
    own: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    assert remarks(own, capsys) == []
    (own.raw / "train" / "left").rename(own.raw / "train" / "links")
    not_taken, absent = remarks(own, capsys)[-2:]
    assert not_taken[2] == "the card does not name the folder train/links; its classes: left, right"
    assert absent == ("no recordings", ["left"], "a class of which there is none in train")


def test_where_all_was_renamed_in_the_folder_itself_the_store_made_before_is_not_served(
    own: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("preprocess", own.card, "--data-dir", own.raw, "--cache-dir", own.places.cache)
    assert run_cli(capsys, *command)[0] == 0
    for split in ("train", "test"):
        (own.raw / split).rename(own.raw / f"{split}s")
    status, _, err = run_cli(capsys, *command)
    assert status == 2
    assert "split 'train' has no recordings; not taken: " in err
    assert "the card does not name the folder trains/left" in err


def test_names_of_files_that_are_no_utf8_are_read_listed_and_left_out(
    own: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = os.fsencode(own.raw / "train" / "left") + b"/caf\xe9.npz"
    try:
        os.rename(own.raw / "train" / "left" / "00001.npz", odd)  # noqa: PTH104  # bytes are no Path
    except OSError:
        pytest.skip("this file system has no such names")
    assert remarks(own, capsys) == []
    store = EventStore(StoreKey.of(own.places.cache, own.named_card).path)
    assert "train/caf\\xe9" in store.ids
    status, _, err = run_cli(capsys, "new", "card", own.raw, "--out", own.card.with_name("new.toml"))
    assert (status, err) == (0, "")
    with open(odd, "wb") as file:  # noqa: PTH123
        file.write(b"xx")
    _, out, _ = run_cli(capsys, "preprocess", own.card, *own.flags, "--keep-going", "--json")
    assert list(json.loads(out)["refused"]) == ["train/caf\\xe9"]


def test_files_of_which_the_same_is_to_be_said_share_a_line(
    own: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(10, 27):
        put(own.raw / "train" / "left" / f"{number}.NPZ", np.array(sided_events(0, number)))
    other = own.raw / "val" / "left" / "7.npz"
    other.parent.mkdir(parents=True)
    put(other, np.array(sided_events(0, 7)))
    _, out, _ = run_cli(capsys, "preprocess", own.card, *own.flags)
    first, second = [line for line in out.splitlines() if line.startswith("  not taken: ")]
    assert first.startswith("  not taken: train/left/10.NPZ, train/left/11.NPZ, ")
    assert first.endswith(" and 12 more: its ending is .NPZ, the card takes .npz")
    assert second.startswith("  not taken: val/left/7.npz: ")


def test_a_count_that_is_pinned_names_what_was_not_taken(
    own: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    first = own.raw / "train" / "left" / "00001.npz"
    first.rename(first.with_suffix(".NPZ"))
    text = own.card.read_text().replace("[splits.train]", "[splits.train]\nsamples = 4")
    own.card.write_text(text)
    status, _, err = run_cli(capsys, "preprocess", own.card, *own.flags)
    assert status == 2
    assert "split 'train' has 3 of 4 recordings" in err
    assert "not taken: train/left/00001.NPZ: its ending is .NPZ, the card takes .npz" in err


def test_an_empty_recording_is_named(own: Miniature, capsys: pytest.CaptureFixture[str]) -> None:
    put(own.raw / "train" / "left" / "00001.npz", np.empty((0, 4), np.int64))
    assert remarks(own, capsys) == [("empty", ["train/left/00001.npz"], "no event in it")]


def test_the_same_recording_in_two_splits_is_named(
    own: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(own.raw / "train" / "left" / "00001.npz", own.raw / "test" / "left" / "00007.npz")
    files = ["test/left/00007.npz", "train/left/00001.npz"]
    assert remarks(own, capsys) == [("leak", files, "the same recording in test and train")]


def test_a_split_without_recordings_is_refused_though_its_count_is_open(
    own: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(own.raw / "test")
    status, _, err = run_cli(capsys, "preprocess", own.card, *own.flags)
    assert status == 2
    assert "split 'test' has no recordings" in err
