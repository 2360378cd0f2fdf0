"""Cards against folders: what is missing, too much or different is named, with how to obtain the right thing."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from eventbench import digest
from eventbench.errors import BadDataset, BadSpec, UnknownName
from eventbench.events import Events
from eventbench.recordings.dataset import Dataset
from eventbench.specs import catalog
from tests.support.miniatures import (
    Miniature,
    atis_bytes,
    card_table,
    miniature,
    npz_bytes,
    sided_events,
    write_toml,
)

FIX = "to obtain it: ask for it; then name the folder with --data-dir"


@pytest.fixture
def mini(tmp_path: Path) -> Miniature:
    return miniature(tmp_path, train=6, test=4)


def opened(mini: Miniature) -> Dataset:
    return Dataset(mini.named_card, mini.places.data)


def rewrite(mini: Miniature, **changes: object) -> None:
    write_toml(mini.card, card_table(6, 4) | changes)


def test_samples_come_in_order_of_id_with_split_and_label(mini: Miniature) -> None:
    samples = opened(mini).samples()
    ids = [f"test/{k:05d}" for k in range(1, 5)] + [f"train/{k:05d}" for k in range(1, 7)]
    assert [sample.id for sample in samples] == ids
    assert [(sample.split, sample.label) for sample in samples[:3]] == [("test", 0), ("test", 1), ("test", 0)]


def test_a_sample_is_read_with_the_hash_of_its_file(mini: Miniature) -> None:
    dataset = opened(mini)
    events, sha256 = dataset.read(dataset.samples()[0])
    raw = sided_events(0, 10_001)
    t, x, y, p = zip(*raw, strict=True)
    assert events == Events(t=t, x=x, y=y, p=p, sensor=(8, 6))
    assert sha256 == hashlib.sha256(atis_bytes(raw)).hexdigest()


@pytest.mark.parametrize("folder", ["mini", "Tonic", "."])
def test_the_folder_may_be_the_cards_tonics_or_the_data_folder_itself(mini: Miniature, folder: str) -> None:
    rewrite(mini, obtain={"how": "ask for it", "tonic": "Tonic"})
    if folder == ".":
        for split in ("train", "test"):
            (mini.raw / split).rename(mini.places.data / split)
        mini.raw.rmdir()
    else:
        mini.raw.rename(mini.places.data / folder)
    assert len(opened(mini).samples()) == 10


def test_missing_recordings_are_named(mini: Miniature) -> None:
    for k in (2, 5):
        mini.file("train", k).unlink()
    line = (
        f"mini at {mini.raw}: split 'train' has 4 of 6 recordings; missing: train/00002, train/00005; {FIX}"
    )
    with pytest.raises(BadDataset, match=f"^{re.escape(line)}$"):
        opened(mini).samples()


def test_extra_recordings_are_named(mini: Miniature) -> None:
    (mini.raw / "test/left/9.bin").write_bytes(b"")
    line = f"mini at {mini.raw}: split 'test' has 5 of 4 recordings; not in the dataset: test/9; {FIX}"
    with pytest.raises(BadDataset, match=f"^{re.escape(line)}$"):
        opened(mini).samples()


def test_no_folder_at_all_says_how_to_obtain_it(mini: Miniature, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    line = (
        f"mini at {nowhere}: split 'train' has 0 of 6 recordings; "
        f"missing: train/00001, train/00002, train/00003, train/00004, train/00005 and 1 more; {FIX}"
    )
    with pytest.raises(BadDataset, match=f"^{re.escape(line)}$"):
        Dataset(mini.named_card, nowhere).samples()


def test_one_name_in_two_classes_is_refused(mini: Miniature) -> None:
    twin = mini.raw / "train/right/00001.bin"
    twin.write_bytes(b"")
    line = f"{mini.raw}: two files are sample train/00001: {mini.file('train', 1)} and {twin}; take one of them away"
    with pytest.raises(BadDataset, match=f"^{re.escape(line)}$"):
        opened(mini).samples()


def test_a_recording_in_the_wrong_class_is_refused(mini: Miniature) -> None:
    mini.file("train", 1).rename(mini.raw / "train/right/00001.bin")
    line = f"mini at {mini.raw}: split 'train' has [2, 4] recordings a class; allowed: [3, 3]"
    with pytest.raises(BadDataset, match=f"^{re.escape(line)}$"):
        opened(mini).samples()


def test_as_many_recordings_of_other_names_are_refused(mini: Miniature) -> None:
    splits = card_table(6, 4)["splits"]
    splits["test"] = {"samples": 4, "ids": digest.of_lines(f"test/{k:05d}" for k in range(1, 5))}
    rewrite(mini, splits=splits)
    assert len(opened(mini).samples()) == 10
    mini.file("test", 1).rename(mini.raw / "test/left/00009.bin")
    with pytest.raises(
        BadDataset, match="split 'test' has 4 of 4 recordings; their names are not the card's; to obtain"
    ):
        opened(mini).samples()


def hashes(mini: Miniature) -> dict[str, str]:
    dataset = opened(mini)
    return {sample.id: dataset.read(sample)[1] for sample in dataset.samples() if sample.split == "train"}


@pytest.mark.parametrize("listed", [True, False])
def test_changed_files_are_refused_and_named_where_a_list_is_there(mini: Miniature, listed: bool) -> None:
    before = hashes(mini)
    splits = card_table(6, 4)["splits"]
    splits["train"]["files"] = digest.of_lines(f"{id} {sha}" for id, sha in before.items())
    rewrite(mini, splits=splits)
    opened(mini).check_files("train", before)
    if listed:
        mini.card.with_suffix(".sha256").write_text("".join(f"{sha}  {id}\n" for id, sha in before.items()))
    mini.file("train", 3).write_bytes(atis_bytes([(1, 1, 1, 1)]))
    changed = "train/00003" if listed else "some files"
    line = f"mini at {mini.raw}: split 'train': {changed} differ from the published ones; fetch them again: ask for it"
    with pytest.raises(BadDataset, match=f"^{re.escape(line)}$"):
        opened(mini).check_files("train", hashes(mini))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"sensr": [1, 1]},
            r"^mini\.toml: unknown key 'sensr' at '\$'; allowed: .*; did you mean 'sensor'\?$",
        ),
        ({"sensor": [8, "6"]}, r"^mini\.toml: Expected 'int', got 'str' at '\$\.sensor\[1\]'$"),
        ({"source": {}}, r"^mini\.toml: the source table has no name; allowed: .*atis_bin"),
        (
            {"source": {"name": "atis_bim"}},
            r"^mini\.toml: no source named 'atis_bim'; .*did you mean 'atis_bin'\?$",
        ),
        (
            {"source": {"name": "atis_bin", "x": 1}},
            r"^mini\.toml \[source atis_bin\]: unknown key 'x' at '\$'; allowed: sort, outside, salvage$",
        ),
        (
            {"layout": {"name": "class_folders"}},
            r"^mini\.toml \[layout class_folders\]: .*missing required field 'folders'$",
        ),
    ],
)
def test_a_card_that_does_not_say_what_it_must_is_refused(
    mini: Miniature, changes: dict[str, Any], line: str
) -> None:
    rewrite(mini, **changes)
    with pytest.raises((BadSpec, UnknownName), match=line):
        opened(mini)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"id": "{split}/{subject}"},
            "id is '{split}/{subject}'; allowed: a name with {split}, {class}, {stem}",
        ),
        ({"id": "{split"}, "id is '{split'; allowed: a name with {split}, {class}, {stem}"),
        (
            {"folders": {"train": "train", "extra": "test"}},
            "folders name 'extra'; allowed: the card's splits: train, test",
        ),
    ],
)
def test_a_layout_that_cannot_be_followed_is_refused(
    mini: Miniature, changes: dict[str, Any], line: str
) -> None:
    rewrite(mini, layout=card_table(6, 4)["layout"] | changes)
    with pytest.raises(BadSpec, match=re.escape(line)):
        opened(mini).samples()


def test_another_format_is_one_line_of_the_card(mini: Miniature) -> None:
    for path in list(mini.raw.glob("*/*/*.bin")):
        t, x, y, p = zip(*sided_events(0, 1), strict=True)
        path.with_suffix(".npz").write_bytes(npz_bytes(t=t, x=x, y=y, p=p))
        path.unlink()
    rewrite(mini, source={"name": "numpy_columns"}, layout=card_table(6, 4)["layout"] | {"suffix": ".npz"})
    dataset = opened(mini)
    assert len(dataset.read(dataset.samples()[0])[0]) == 60


def test_the_whole_of_n_mnist_is_wanted(tmp_path: Path, shared_data: Path) -> None:
    with pytest.raises(
        BadDataset,
        match=r"split 'train' has 1,000 of 60,000 recordings; missing: train/01001, .* and 58,?995 more; ",
    ):
        Dataset(catalog.card("nmnist"), shared_data / "nmnist_small").samples()


def test_the_small_n_mnist_is_what_its_card_says(shared_data: Path) -> None:
    dataset = Dataset(catalog.card("nmnist_small"), shared_data)
    samples = dataset.samples()
    assert len(samples) == 1100
    tests = {sample.id: dataset.read(sample)[1] for sample in samples if sample.split == "test"}
    dataset.check_files("test", tests)
    with pytest.raises(
        BadDataset, match="split 'test': test/00007 differ from the published ones; fetch them again"
    ):
        dataset.check_files("test", tests | {"test/00007": "0" * 64})


def test_an_unknown_dataset_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UnknownName, match=r"^no dataset named 'nmist'; allowed: .*nmnist_small.*; did you mean 'nmnist'\?$"
    ):
        catalog.card("nmist")
