"""A card written from a folder works at once, whatever says the classes, splits and subjects in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from eventbench.authoring.card import new_card
from eventbench.errors import BadDataset
from eventbench.preprocess.events_store import events_store
from eventbench.recordings.dataset import Dataset
from eventbench.recordings.read import Reading
from eventbench.specs import catalog
from eventbench.store.read import EventStore
from tests.support.formats import dat
from tests.support.miniatures import atis_bytes, npz_bytes, sided_events

PETS = ("cat", "dog")
BY_FOLDER = {"classes": "from the names of folders"}


def folder(root: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        path = root / "recordings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(atis_bytes(sided_events(number % 2, number)))
    return root / "recordings"


@pytest.mark.parametrize(
    ("names", "layout", "samples", "subjects"),
    [
        (
            [f"{split}/{pet}/{k:03d}.bin" for split in ("Train", "Test") for pet in PETS for k in range(4)],
            {"name": "class_folders", "folders": {"train": "Train", "test": "Test"}},
            {"train": 8, "test": 8},
            0,
        ),
        (
            [f"{pet}/{split}/{k}.bin" for split in ("train", "val", "test") for pet in PETS for k in range(4)],
            {"name": "path_pattern", "id": "{class}/{split}/{take}"},
            {"train": 8, "validation": 8, "test": 8},
            0,
        ),
        (
            [f"{pet}/{k:03d}.bin" for pet in PETS for k in range(10)],
            {"name": "split_by_rank", "parts": [["train", 80], ["test", 20]], "order": "sha256", "seed": 0},
            {"train": 16, "test": 4},
            0,
        ),
        (
            [f"{pet}_{k}.bin" for pet in ("thumbs", "thumbs_up") for k in range(10)],
            {"name": "pattern_by_rank", "pattern": "{class}_{take}.bin"},
            {"train": 16, "test": 4},
            0,
        ),
        (
            [f"{pet}{k}.bin" for pet in PETS for k in range(10)],
            {"name": "pattern_by_rank", "pattern": "{class}{take}.bin"},
            {"train": 16, "test": 4},
            0,
        ),
        (
            [f"user{user}/{pet}/{k}.bin" for user in range(6) for pet in PETS for k in range(3)],
            {"name": "pattern_by_rank", "pattern": "{subject}/{class}/{take}.bin", "together": "subject"},
            {"train": 30, "test": 6},
            6,
        ),
        (
            [f"{pet}/x_{k}_s{user:02d}.bin" for user in range(6) for pet in PETS for k in range(3)],
            {"name": "pattern_by_rank", "pattern": "{class}/{part0}_{part1}_{subject}.bin"},
            {"train": 30, "test": 6},
            6,
        ),
        (
            [f"subj{user}-{pet}-{k}.bin" for user in range(2) for pet in PETS for k in range(3)],
            {"name": "pattern_by_rank", "parts": [["train", 50], ["test", 50]], "together": "subject"},
            {"train": 6, "test": 6},
            2,
        ),
        (
            [f"{split}_{pet}_{k}.bin" for split in ("train", "test") for pet in PETS for k in range(5)],
            {"name": "path_pattern", "patterns": {"train": "train_{class}_{take}.bin", "test": "test_{class}_{take}.bin"}},
            {"train": 10, "test": 10},
            0,
        ),
        (
            [f"{pet}/session{session}/{k}.bin" for session in (1, 2) for pet in PETS for k in range(5)],
            {"name": "pattern_by_rank", "pattern": "{class}/{folder1}/{take}.bin"},
            {"train": 16, "test": 4},
            0,
        ),
        (
            [f"s{sign}/{k}.bin" for sign in range(3) for k in range(5)],
            {"name": "split_by_rank", "suffix": ".bin"},
            {"train": 12, "test": 3},
            0,
        ),
    ],
)  # fmt: skip
def test_paths_say_classes_splits_and_subjects(
    tmp_path: Path, names: list[str], layout: dict[str, Any], samples: dict[str, int], subjects: int
) -> None:
    written = new_card(folder(tmp_path, names), tmp_path / "own.toml")
    assert written.samples == samples
    assert {key: (written.card.layout or {})[key] for key in layout} == layout
    assert written.remarks == []
    # What is in the file is what was meant, and finds every recording.
    card = catalog.card(str(tmp_path / "own.toml"))
    assert card.spec.digest == written.card.digest
    found = Dataset(card, tmp_path / "recordings").samples()
    assert len(found) == len(names)
    who = {sample.subject for sample in found} - {""}
    assert len(who) == subjects
    for guess in written.guesses.values():
        assert f"# guessed: {guess}\n" in written.text
    if subjects:
        assert len({(sample.subject, sample.split) for sample in found}) == subjects


def test_counts_are_comments_unless_they_are_to_be_pinned(tmp_path: Path) -> None:
    names = [f"{split}/{pet}/{k}.bin" for split in ("train", "test") for pet in PETS for k in range(4)]
    root = folder(tmp_path, names)
    open_card = new_card(root, tmp_path / "open.toml")
    assert "# samples = 8\n# per_class = [4, 4]\n" in open_card.text
    new_card(root, tmp_path / "pinned.toml", pin=True)
    (root / "train" / "cat" / "9.bin").write_bytes(atis_bytes(sided_events(0, 9)))
    assert len(Dataset(catalog.card(str(tmp_path / "open.toml")), root).samples()) == 17
    with pytest.raises(BadDataset, match="split 'train' has 9 of 8 recordings"):
        Dataset(catalog.card(str(tmp_path / "pinned.toml")), root).samples()


def test_the_sensor_is_that_of_the_files_or_given_or_a_guess(tmp_path: Path) -> None:
    names = [f"{pet}/{k}.bin" for pet in PETS for k in range(4)]
    root = folder(tmp_path, names)
    smallest = new_card(root, tmp_path / "a.toml")
    assert "the smallest that holds every event" in smallest.guesses["sensor"]
    given = new_card(root, tmp_path / "b.toml", Reading(sensor=(34, 34)))
    assert given.card.sensor == (34, 34)
    assert "sensor" not in given.guesses
    stated = tmp_path / "stated"
    for pet in PETS:
        for k in range(4):
            path = stated / pet / f"{k}.dat"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(dat.write(sided_events(k % 2, k), size=(64, 48)))
    of_files = new_card(stated, tmp_path / "c.toml")
    assert of_files.card.sensor == (64, 48)
    assert "sensor" not in of_files.guesses


def test_parameters_of_the_source_go_into_the_card(tmp_path: Path) -> None:
    for pet in PETS:
        for k in range(4):
            path = tmp_path / "r" / pet / f"{k}.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            columns = np.array(sided_events(k % 2, k)).T
            path.write_bytes(npz_bytes(**dict(zip("txyp", columns, strict=True))))
    reading = Reading(source="numpy_columns", parameters={"unit": "ms", "sort": "true"})
    written = new_card(tmp_path / "r", tmp_path / "own.toml", reading)
    assert catalog.card(str(tmp_path / "own.toml")).spec.source == {
        "name": "numpy_columns", "unit": "ms", "sort": True,
    }  # fmt: skip
    assert written.samples == {"train": 4, "test": 4}


def test_a_table_of_labels_is_used(tmp_path: Path) -> None:
    root = folder(tmp_path, [f"r{k}.bin" for k in range(6)])
    rows = [f"r{k};{PETS[k % 2]};{'train' if k < 4 else 'test'};u{k}" for k in range(6)]
    (root / "labels.csv").write_text("file;class;set;user\n" + "\n".join(rows))
    written = new_card(root, tmp_path / "own.toml")
    assert written.samples == {"train": 4, "test": 2}
    layout = written.card.layout or {}
    assert layout["columns"] == {"path": "file", "label": "class", "split": "set", "subject": "user"}
    found = Dataset(catalog.card(str(tmp_path / "own.toml")), root).samples()
    assert [(sample.split, sample.subject) for sample in found][3:5] == [("train", "u3"), ("test", "u4")]


def test_what_is_not_taken_or_cannot_be_read_is_said(tmp_path: Path) -> None:
    names = [f"{split}/{pet}/{k}.bin" for split in ("train", "test") for pet in PETS for k in range(4)]
    root = folder(tmp_path, [*names, "unsorted/1.bin", "extra/cat/1.bin"])
    (root / "train" / "cat" / "1.bin").write_bytes(b"\x00" * 7)
    (root / "train" / "cat" / "._2.bin").write_bytes(b"\x00" * 7)
    written = new_card(root, tmp_path / "own.toml")
    assert written.samples == {"train": 8, "test": 8}
    remarks = "\n".join(written.remarks)
    assert "cannot be read: train/cat/1.bin: " in remarks
    assert "not taken: train/cat/._2.bin: macOS's note on a file, and no recording" in remarks
    assert "not taken: unsorted/1.bin: the card does not name the folder unsorted" in remarks
    assert "not taken: extra/cat/1.bin: the card does not name the folder extra/cat" in remarks


def test_a_file_that_is_not_taken_is_told_once(tmp_path: Path) -> None:
    names = [f"{split}/{pet}/{k}.bin" for split in ("train", "test") for pet in PETS for k in range(4)]
    root = folder(tmp_path, names)
    for number, name in enumerate(("train/cat/9.NPZ", "test/dog/9.NPZ", "train/cat/9.npz")):
        (root / name).write_bytes(
            npz_bytes(**dict(zip("txyp", np.array(sided_events(0, 50 + number)).T, strict=True)))
        )
    (root / "train" / "cat" / "0.bin").rename(root / "train" / "cat" / "0.BIN")
    written = new_card(root, tmp_path / "own.toml")
    assert written.samples == {"train": 7, "test": 8}
    assert sorted(written.remarks) == [
        "not taken: test/dog/9.NPZ: its ending is .NPZ, the card takes .bin",
        "not taken: train/cat/0.BIN: its ending is .BIN, the card takes .bin",
        "not taken: train/cat/9.NPZ: its ending is .NPZ, the card takes .bin",
        "not taken: train/cat/9.npz: its ending is .npz, the card takes .bin",
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1.bin", "2.bin"], "no classes are found in the names of folders or files; allowed: a folder a class"),
        (["only/1.bin", "only/2.bin"], "no classes are found"),
    ],
)  # fmt: skip
def test_a_folder_without_classes_is_refused(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(BadDataset, match=message):
        new_card(folder(tmp_path, names), tmp_path / "own.toml")
    assert not (tmp_path / "own.toml").exists()


def test_a_folder_of_macos_notes_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="no recording below it but notes of macOS"):
        new_card(folder(tmp_path, ["a/._1.bin", "b/._2.bin"]), tmp_path / "own.toml")


def test_nothing_is_written_over_and_a_folder_of_nothing_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path, [f"{pet}/{k}.bin" for pet in PETS for k in range(4)])
    new_card(root, tmp_path / "own.toml")
    with pytest.raises(BadDataset, match=r"own\.toml: it is there already; name another file with --out"):
        new_card(root, tmp_path / "own.toml")
    with pytest.raises(BadDataset, match=r"nowhere: no such folder"):
        new_card(tmp_path / "nowhere", tmp_path / "other.toml")
    for path in root.rglob("*.bin"):
        path.write_bytes(b"\x00" * 7)
    with pytest.raises(BadDataset, match=r"none of 8 recordings can be read; cat/0\.bin: "):
        new_card(root, tmp_path / "other.toml")


def spikes(
    path: Path, labels: list[int], words: list[str] | None = None, speakers: list[int] | None = None
) -> None:
    """A file of many recordings, as SHD's; no two have the same spikes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([*path.name.encode(), *labels])
    with h5py.File(path, "w") as out:
        times = out.create_dataset("spikes/times", len(labels), h5py.vlen_dtype(np.float32))
        units = out.create_dataset("spikes/units", len(labels), h5py.vlen_dtype(np.uint16))
        for row in range(len(labels)):
            times[row] = np.sort(rng.random(60)).astype("f4")
            units[row] = rng.integers(0, 70, 60)
        out["labels"] = np.array(labels, np.uint16)
        if words:
            out["extra/keys"] = [word.encode() for word in words]
        if speakers:
            out["extra/speaker"] = np.array(speakers)


def test_files_of_many_recordings_are_splits_by_their_names(tmp_path: Path) -> None:
    spikes(tmp_path / "r" / "own_train.h5", [0, 1, 1, 0, 2], ["eins", "zwei", "drei"])
    spikes(tmp_path / "r" / "own_test.h5", [2, 1, 0], ["eins", "zwei", "drei"])
    written = new_card(tmp_path / "r", tmp_path / "own.toml", Reading(sensor=(70, 1)))
    assert written.card.source == {"name": "spikes_hdf5"}
    assert written.card.layout == {
        "name": "rows", "files": {"train": "own_train.h5", "test": "own_test.h5"}, "keys": "extra/keys",
    }  # fmt: skip
    assert (written.card.classes, written.samples) == (["eins", "zwei", "drei"], {"train": 5, "test": 3})
    assert written.remarks == []
    card = catalog.card(str(tmp_path / "own.toml"))
    assert card.spec.digest == written.card.digest
    store = EventStore(events_store(card, tmp_path / "r", tmp_path / "cache").store)
    assert store.labels.tolist() == [2, 1, 0, 0, 1, 1, 0, 2]
    assert store.account["kept"].tolist() == [60] * 8


def test_one_file_of_many_recordings_is_split_by_a_seed_with_speakers_whole(tmp_path: Path) -> None:
    labels, speakers = [k % 2 for k in range(40)], [k // 4 for k in range(40)]
    spikes(tmp_path / "r" / "all.h5", labels, speakers=speakers)
    written = new_card(tmp_path / "r", tmp_path / "own.toml")
    assert (written.card.classes, written.samples) == (["0", "1"], {"train": 32, "test": 8})
    assert written.guesses["classes"] == "numbers of labels: put words here"
    found = Dataset(catalog.card(str(tmp_path / "own.toml")), tmp_path / "r").samples()
    assert len({(sample.subject, sample.split) for sample in found}) == 10
    assert sorted(sample.row for sample in found if sample.row is not None) == list(range(40))


def test_files_of_many_recordings_that_no_card_can_say_are_refused_with_the_way(tmp_path: Path) -> None:
    for name in ("train/a.h5", "train/b.h5", "test/a.h5"):
        spikes(tmp_path / "r" / name, [0, 1])
    with pytest.raises(
        BadDataset, match=r"split train has two files, train/a\.h5 and train/b\.h5; .* join them"
    ):
        new_card(tmp_path / "r", tmp_path / "own.toml")
    spikes(tmp_path / "bare" / "all.h5", [0, 1])
    with h5py.File(tmp_path / "bare" / "all.h5", "r+") as file:
        del file["labels"]
    with pytest.raises(
        BadDataset, match=r"all\.h5: no labels in it; each row needs a label in the file; or write each"
    ):
        new_card(tmp_path / "bare", tmp_path / "own.toml")
    assert not (tmp_path / "own.toml").exists()


def test_text_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    rows = [f"{t},{x},{y},{p}" for t, x, y, p in sided_events(0, 1)]
    for pet in PETS:
        for k in range(4):
            path = tmp_path / "r" / pet / f"{k}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("t,x,y,p\n" + "\n".join(rows) + "\n")
    (tmp_path / "r" / "cat" / "1.csv").write_text('{"t":1148,"x":63,"y":120,"p":1}\n')
    written = new_card(tmp_path / "r", tmp_path / "own.toml", Reading(sensor=(8, 6)))
    assert written.remarks == ["cannot be read: cat/1.csv: eventbench doctor says why"]
    for path in (tmp_path / "r").rglob("*.csv"):
        path.write_text('{"t":1148,"x":63,"y":120,"p":1}\n')
    message = r"no recording below it \(8 other files\); cat/0\.csv: line 1 is .*JSON.*write them as CSV"
    with pytest.raises(BadDataset, match=message):
        new_card(tmp_path / "r", tmp_path / "other.toml")
