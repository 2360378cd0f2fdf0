"""Files that any layout leaves out, ids that take the class in, and patterns of paths split by rank."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eventbench.errors import BadDataset, BadSpec
from eventbench.specs.card import Split
from tests.layouts.test_layouts import card, samples
from tests.support.dataset_miniatures import put

CARD = card(["cat", "dog"], ["train", "test"])
FOLDERS = {"name": "class_folders", "folders": {"train": "train", "test": "test"}, "suffix": ".npz"}
RANKED = {"name": "split_by_rank", "suffix": ".npz", "parts": [["train", 50], ["test", 50]]}
PATHS = {"name": "path_pattern", "patterns": {"train": "train/{class}/{take}.npz"}, "id": "{class}/{take}"}
BY_RANK: dict[str, Any] = {
    "name": "pattern_by_rank",
    "pattern": "{subject}_{class}_{take}.npz",
    "parts": [["train", 75], ["test", 25]],
    "id": "{subject}_{class}_{take}",
}


def test_two_classes_may_have_files_of_one_name(tmp_path: Path) -> None:
    put(tmp_path / "train" / "cat" / "000.npz", b"")
    assert [sample.id for sample in samples(tmp_path, CARD, **FOLDERS)] == ["train/000"]
    put(tmp_path / "train" / "dog" / "000.npz", b"")
    assert [sample.id for sample in samples(tmp_path, CARD, **FOLDERS)] == ["train/cat/000", "train/dog/000"]
    # Where the card pins what samples are called, they are called so.
    pinned = msgspec.structs.replace(CARD, splits={"train": Split(samples=2, ids="0" * 64), "test": Split()})
    with pytest.raises(BadDataset, match="two files are sample train/000"):
        samples(tmp_path, pinned, **FOLDERS)


@pytest.mark.parametrize("layout", [FOLDERS, PATHS, RANKED], ids=lambda layout: layout["name"])
def test_any_layout_skips_names_paths_and_notes_of_macos(tmp_path: Path, layout: dict[str, Any]) -> None:
    below = "" if layout is RANKED else "train/"
    for name in ("cat/1", "cat/._1", "cat/1_copy", "dog/1", "dog/2"):
        put(tmp_path / f"{below}{name}.npz", b"")
    found = samples(tmp_path, CARD, **layout, skip=["*_copy*", f"{below}dog/2.npz"])
    files = sorted(Path(sample.recording).relative_to(tmp_path / below).as_posix() for sample in found)
    assert files == ["cat/1.npz", "dog/1.npz"]


def test_a_pattern_is_split_by_rank_and_keeps_subjects_whole(tmp_path: Path) -> None:
    for subject in range(8):
        for name in ("cat", "dog"):
            for take in range(2):
                put(tmp_path / f"s{subject}_{name}_{take}.npz", b"")
    found = samples(tmp_path, CARD, **BY_RANK, together="subject")
    assert Counter((sample.split, sample.label) for sample in found) == {
        ("train", 0): 12, ("train", 1): 12, ("test", 0): 4, ("test", 1): 4,
    }  # fmt: skip
    assert len({(sample.subject, sample.split) for sample in found}) == 8
    # Without it each class has its share, whoever is in it.
    alone = samples(tmp_path, CARD, **BY_RANK)
    assert Counter(sample.split for sample in alone) == {"train": 24, "test": 8}
    with pytest.raises(BadSpec, match="together is 'person'; allowed: subject, class, take"):
        samples(tmp_path, CARD, **BY_RANK, together="person")


def test_a_class_of_several_words_is_found_in_a_name(tmp_path: Path) -> None:
    for name in ("thumbs_up_1", "thumbs_1"):
        put(tmp_path / f"{name}.npz", b"")
    layout = BY_RANK | {"pattern": "{class}_{take}.npz", "id": "{class}/{take}"}
    found = samples(tmp_path, card(["thumbs", "thumbs_up"], ["train", "test"]), **layout)
    assert [(sample.id, sample.label) for sample in found] == [("thumbs/1", 0), ("thumbs_up/1", 1)]
