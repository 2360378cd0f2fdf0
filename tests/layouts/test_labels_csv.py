"""The layout `labels_csv`: a table names each recording, its class, its split and who is in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from eventbench.errors import BadDataset, BadSpec
from eventbench.specs.sample import Sample
from tests.layouts.test_layouts import card, samples
from tests.support.dataset_miniatures import put

CARD = card(["cat", "dog"], ["train", "test"])
TABLE = "path,label,split,subject,mood\na/000.npz,cat,train,ann,good\na/001.npz,dog,train,bob,bad\nb.npz,dog,test,cy,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a/000.npz", "a/001.npz", "b.npz"):
        put(tmp_path / name, b"")
    (tmp_path / "labels.csv").write_text(TABLE)
    return tmp_path


def listed(root: Path, **layout: Any) -> list[Sample]:
    return samples(root, CARD, name="labels_csv", **layout)


def test_a_line_is_a_sample_and_other_columns_are_ignored(folder: Path) -> None:
    assert [tuple(sample) for sample in listed(folder)] == [
        ("a/000", "train", 0, "ann", folder / "a/000.npz", None, None, None),
        ("a/001", "train", 1, "bob", folder / "a/001.npz", None, None, None),
        ("b", "test", 1, "cy", folder / "b.npz", None, None, None),
    ]
    assert [sample.id for sample in listed(folder, skip=["*1.npz"])] == ["a/000", "b"]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_table_of_a_spreadsheet_is_read(folder: Path, separator: str) -> None:
    before = listed(folder)
    (folder / "labels.csv").write_bytes(
        b"\xef\xbb\xbf" + TABLE.replace(",", separator).replace("\n", "\r\n").encode()
    )
    assert listed(folder) == before


def test_paths_are_relative_to_the_table_and_columns_may_have_other_names(folder: Path) -> None:
    (folder / "a" / "mine.csv").write_text("File,kind\n000,cat\n001,dog\n")
    found = listed(
        folder,
        table="a/mine.csv",
        columns={"path": "file", "label": "kind"},
        suffix=".npz",
        parts=[["train", 50], ["test", 50]],
    )
    assert [(sample.id, sample.label) for sample in found] == [("a/000", 0), ("a/001", 1)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("label", "species", "line 1: no column 'label': its columns are path, species, split, subject, mood; name it"),
        ("a/001", "a/009", "line 3: a/009.npz is not there"),
        ("a/001", "../001", "line 3: the path is '../001.npz'; allowed: a path relative to the table"),
        ("a/001.npz", "/tmp/x", "line 3: the path is '/tmp/x'"),
        ("cat", "cow", "line 2: no class 'cow'; allowed: cat, dog"),
        ("test", "exam", "line 4: no split 'exam'; allowed: train, test"),
        ("a/001", "a/000", "line 3: sample a/000 is in line 2 too; name each recording once, in one split"),
        ("b.npz,dog,test,cy,", "b.npz,dog", "line 4: it has only 2 columns: 'b.npz,dog'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(folder: Path, old: str, new: str, message: str) -> None:
    (folder / "labels.csv").write_text(TABLE.replace(old, new, 1))
    with pytest.raises(BadDataset, match=re.escape(f"{folder / 'labels.csv'}, {message}")):
        listed(folder)


def test_a_table_that_is_not_there_and_a_column_of_no_use_are_refused(folder: Path) -> None:
    with pytest.raises(BadDataset, match=r"no\.csv: cannot be read: .*; to obtain it: ask for it"):
        listed(folder, table="no.csv")
    with pytest.raises(BadSpec, match="columns has 'mood'; allowed: path, label, split, subject"):
        listed(folder, columns={"mood": "mood"})


def test_without_splits_subjects_stay_whole_and_five_turns_are_five_folds(tmp_path: Path) -> None:
    lines = ["path,label,subject"]
    for k in range(60):
        put(tmp_path / f"{k}.npz", b"")
        lines.append(f"{k}.npz,{'cat' if k < 40 else 'dog'},s{k // 3}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    with pytest.raises(BadDataset, match="no column 'split'"):
        listed(tmp_path)
    parts = [["test", 20], ["train", 80]]
    tested: list[str] = []
    for turn in (0, 20, 40, 60, 80):
        found = listed(tmp_path, parts=parts, turn=turn)
        assert found == listed(tmp_path, parts=parts, turn=turn)
        splits = {(sample.subject, sample.split) for sample in found}
        assert len(splits) == len({subject for subject, _ in splits}) == 20
        tests = [sample for sample in found if sample.split == "test"]
        assert {sample.label for sample in tests} == {0, 1}
        assert 9 <= len(tests) <= 18
        tested += [sample.id for sample in tests]
    assert sorted(tested) == sorted(str(k) for k in range(60))
    assert listed(tmp_path, parts=parts) != listed(tmp_path, parts=parts, seed=1)
    with pytest.raises(BadSpec, match="turn is 100; allowed: 0 to 99"):
        listed(tmp_path, parts=parts, turn=100)
