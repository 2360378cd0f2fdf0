"""Layouts: what goes where, and each thing that a folder or a card can get wrong, in one line that names the place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest

from eventbench import registry
from eventbench.errors import BadDataset, BadRecording, BadSpec
from eventbench.recordings.dataset import Dataset
from eventbench.specs import catalog
from eventbench.specs.card import Card
from eventbench.specs.sample import Sample
from tests.support.dataset_miniatures import dvs_gesture, hsd, put, sl_animals_dvs
from tests.support.formats import aedat31


def card(classes: list[str], splits: list[str]) -> Card:
    table = {
        "sensor": [8, 6],
        "classes": classes,
        "source": {"name": "atis_bin"},
        "splits": {split: {"samples": 1} for split in splits},
        "obtain": {"how": "ask for it"},
    }
    return msgspec.convert(table, Card)


def samples(root: Path, of: Card, **layout: Any) -> list[Sample]:
    return registry.layouts.build(layout, where="card.toml").samples(of, root)


def split_of(found: list[Sample]) -> dict[str, str]:
    return {sample.id: sample.split for sample in found}


RANKED = {"name": "split_by_rank", "suffix": ".bin", "parts": [["train", 90], ["test", 10]]}


def ranked(root: Path, n: int, **layout: Any) -> dict[str, str]:
    for k in range(n):
        put(root / "a" / f"r_{k}.bin", b"")
    parts = layout.get("parts", RANKED["parts"])
    return split_of(samples(root, card(["a"], [split for split, _ in parts]), **(RANKED | layout)))


@pytest.mark.parametrize(
    ("n", "tests"), [(0, 0), (1, 0), (9, 0), (10, 1), (11, 1), (19, 1), (20, 2), (31, 3), (100, 10)]
)
def test_the_first_part_of_a_class_is_rounded_up(tmp_path: Path, n: int, tests: int) -> None:
    splits = ranked(tmp_path, n)
    assert len(splits) == n
    assert list(splits.values()).count("test") == tests


def test_the_order_decides_who_is_last(tmp_path: Path) -> None:
    def held(order: str) -> list[str]:
        return [name for name, split in ranked(tmp_path, 20, order=order).items() if split == "test"]

    assert held("name") == ["a/r_8", "a/r_9"]
    assert held("number") == ["a/r_18", "a/r_19"]
    assert held("sha256") not in (held("name"), held("number"))
    # The draw is by the id and the seed: a file more changes at most one other file's split.
    before = ranked(tmp_path, 20, order="sha256")
    after = ranked(tmp_path, 21, order="sha256")
    assert sum(before[name] != after[name] for name in before) <= 1
    assert ranked(tmp_path, 21, order="sha256", seed=1) != after


def test_three_parts_share_a_class(tmp_path: Path) -> None:
    parts = [["test", 10], ["validation", 20], ["train", 70]]
    counts = list(ranked(tmp_path, 20, parts=parts, order="number").values())
    assert {split: counts.count(split) for split in ("test", "validation", "train")} == {
        "test": 2,
        "validation": 4,
        "train": 14,
    }


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"order": "size"}, "order is 'size'; allowed: name, number, sha256"),
        ({"parts": [["train", 90], ["test", 20]]}, "of a sum of 100"),
        ({"parts": [["train", 100], ["test", 0]]}, "percents over 0"),
        ({"parts": [["train", 50], ["train", 50]]}, "each split once"),
        (
            {"parts": [["train", 90], ["exam", 10]]},
            "parts name 'exam'; allowed: the card's splits: train, test",
        ),
        ({"id": "{split}/{stem}"}, "id is '{split}/{stem}'; allowed: a name with {class}, {stem}"),
        ({"subject": "("}, "subject is '('"),
        ({"subject": "r"}, "subject is 'r'; allowed: a regular expression with one group"),
    ],
)
def test_a_rank_that_cannot_be_followed_is_refused(
    tmp_path: Path, layout: dict[str, Any], message: str
) -> None:
    put(tmp_path / "a" / "r_1.bin", b"")
    with pytest.raises(BadSpec, match=re.escape(message)):
        samples(tmp_path, card(["a"], ["train", "test"]), **(RANKED | layout))


def test_a_name_without_a_number_or_a_subject_is_named(tmp_path: Path) -> None:
    put(tmp_path / "a" / "first.bin", b"")
    with pytest.raises(BadDataset, match=r"first\.bin: its name does not end in a number to order by$"):
        samples(tmp_path, card(["a"], ["train", "test"]), **(RANKED | {"order": "number"}))
    with pytest.raises(BadDataset, match=r"first\.bin: the name does not say who is in it"):
        samples(tmp_path, card(["a"], ["train", "test"]), **(RANKED | {"subject": "(user\\d+)"}))


PATHS = {"name": "path_pattern", "id": "{split}/{subject}/{number}"}


def paths(root: Path, pattern: str, classes: int = 3, **layout: Any) -> list[Sample]:
    of = card([f"c{k}" for k in range(classes)], ["train"])
    return samples(root, of, **(PATHS | {"patterns": {"train": pattern}} | layout))


def test_fields_of_a_path_are_as_short_as_they_can_be(tmp_path: Path) -> None:
    put(tmp_path / "t" / "user01_lamp_led" / "2.npy", b"")
    put(tmp_path / "t" / "README" / "1.npy", b"")  # not of the pattern
    found = paths(tmp_path, "t/{subject}_{light}/{number}.npy")
    assert [(one.id, one.label, one.subject) for one in found] == [("train/user01/2", 2, "user01")]


@pytest.mark.parametrize(
    ("file", "layout", "message"),
    [
        ("t/u/3.npy", {}, "3.npy: no class number '3'; allowed: 0 to 2"),
        ("t/u/0.npy", {"first_class": 1}, "0.npy: no class number '0'; allowed: 1 to 3"),
        ("t/u/x.npy", {}, "x.npy: no class number 'x'; allowed: 0 to 2"),
    ],
)
def test_a_path_of_no_class_is_refused(
    tmp_path: Path, file: str, layout: dict[str, Any], message: str
) -> None:
    put(tmp_path / file, b"")
    with pytest.raises(BadDataset, match=re.escape(message)):
        paths(tmp_path, "t/{subject}/{number}.npy", **layout)


def test_a_class_by_name_and_one_id_for_two_paths(tmp_path: Path) -> None:
    put(tmp_path / "c1" / "k.npy", b"")
    assert paths(tmp_path, "{class}/{stem}.npy", id="{stem}")[0].label == 1
    put(tmp_path / "c2" / "k.npy", b"")
    with pytest.raises(BadDataset, match=r"two files are sample k: .*c\d/k\.npy and .*c\d/k\.npy"):
        paths(tmp_path, "{class}/{stem}.npy", id="{stem}")
    put(tmp_path / "c9" / "k.npy", b"")
    with pytest.raises(BadDataset, match="no class 'c9'; allowed: c0, c1, c2"):
        paths(tmp_path, "{class}/{stem}.npy", id="{class}/{stem}")


@pytest.mark.parametrize("pattern", ["{stem}.npy", "{class}/{number}.npy", "{class}/{class}.npy"])
def test_a_pattern_without_one_label_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(BadSpec, match=re.escape("allowed: each field once, and one of {class} and {number}")):
        paths(tmp_path, pattern)


@pytest.fixture
def gesture(tmp_path: Path) -> Path:
    """DVS128 Gesture in miniature, as its card has it."""
    dvs_gesture.write(tmp_path, catalog.card("dvs_gesture").spec)
    return tmp_path


def cut(root: Path) -> list[Sample]:
    named = catalog.card("dvs_gesture")
    return samples(root, named.spec, **(named.spec.layout or {}))


def test_windows_are_the_lines_of_the_file(gesture: Path) -> None:
    found = {sample.id: sample for sample in cut(gesture)}
    assert len(found) == 3 * 12
    lines = (gesture / "user24_led_labels.csv").read_text().splitlines()
    label, start, stop = map(int, lines[5].split(","))
    sample = found["user24_led/05"]
    assert (sample.split, sample.label, sample.subject) == ("test", label - 1, "user24")
    assert (sample.window, sample.part) == ((start, stop), None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("3,80", "is '3,80'; allowed: whole numbers: class, startTime_usec, endTime_usec"),
        ("clap,1,2", "is 'clap,1,2'; allowed: whole numbers: class, startTime_usec, endTime_usec"),
        ("3,1.5,2", "is '3,1.5,2'; allowed: whole numbers"),
        ("12,1,2", "no class 12; allowed: 1 to 11"),
        ("0,1,2", "no class 0; allowed: 1 to 11"),
        ("3,5,5", "goes from 5 to 5; allowed: 0 <= start < stop"),
        ("3,-5,5", "goes from -5 to 5; allowed: 0 <= start < stop"),
    ],
)
def test_a_bad_line_is_named_by_file_and_number(gesture: Path, line: str, message: str) -> None:
    path = gesture / "user02_fluorescent_led_labels.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], "", line, *lines[4:]]))
    with pytest.raises(BadDataset, match=re.escape(f"{path}, line 6: {message}")):
        cut(gesture)


def test_a_file_of_labels_that_is_missing_or_has_other_columns_is_named(gesture: Path) -> None:
    path = gesture / "user01_fluorescent_labels.csv"
    path.write_text("class;start;end\n1;2;3\n")
    message = f"{path}, line 1: no column 'class'; allowed: class, startTime_usec, endTime_usec"
    with pytest.raises(BadDataset, match=re.escape(message)):
        cut(gesture)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadDataset, match=re.escape(f"{path}: is no text in UTF-8; to obtain it: ")):
        cut(gesture)
    path.unlink()
    with pytest.raises(
        BadDataset, match=re.escape(f"{path}: cannot be read: No such file or directory; to obtain")
    ):
        cut(gesture)


def test_lists_must_name_each_recording_once_and_only_what_is_there(gesture: Path) -> None:
    listed = gesture / "trials_to_test.txt"
    sound = listed.read_text()
    listed.write_text(sound + "user01_fluorescent.aedat\n")
    message = "line 3: user01_fluorescent.aedat was listed before, in trials_to_train.txt, line 1"
    with pytest.raises(BadDataset, match=re.escape(message)):
        cut(gesture)
    listed.write_text("user99_led.aedat\n")
    with pytest.raises(
        BadDataset, match=re.escape(f"{listed}, line 1: 'user99_led.aedat' is no recording here")
    ):
        cut(gesture)
    put(gesture.parent / "outside.aedat", b"")
    listed.write_text("../outside.aedat\n")
    with pytest.raises(BadDataset, match=r"line 1: '\.\./outside\.aedat' is no recording here"):
        cut(gesture)
    listed.unlink()
    with pytest.raises(BadDataset, match=re.escape(f"{listed}: cannot be read")):
        cut(gesture)


def test_a_window_that_the_recording_does_not_have_is_refused_when_read(gesture: Path) -> None:
    events = [(t, 1, 1, 1) for t in range(100, 200)]
    put(gesture / "user24_led.aedat", aedat31.write([aedat31.polarity(events)]))
    dataset = Dataset(catalog.card("dvs_gesture"), gesture)
    sample = next(one for one in cut(gesture) if one.id == "user24_led/01")
    message = r"sample user24_led/01 is its us \(8\d+, 8\d+\), which it does not have; allowed: what lies in its 100 to 199 us"
    with pytest.raises(BadRecording, match=message):
        dataset.read(sample)
    inside, _ = dataset.read(sample._replace(window=(110, 120)))
    assert inside.t.tolist() == list(range(110, 120))
    with pytest.raises(BadRecording, match="which it does not have"):
        dataset.read(sample._replace(window=(50, 100)))


def test_a_part_counts_events_and_must_be_there_whole(tmp_path: Path) -> None:
    named = catalog.card("sl_animals_dvs")
    written = sl_animals_dvs.write(tmp_path, named.spec)
    found = samples(tmp_path, named.spec, **(named.spec.layout or {}))
    assert [one.id for one in found] == sorted(written)
    dataset, sample = Dataset(named, tmp_path), found[0]
    assert sample.part == (4, 17)
    held = 15 * len(named.spec.classes) + 20
    assert len(dataset.read(sample._replace(part=(0, held)))[0]) == held
    message = (
        f"is its events (0, {held + 1}), which it does not have; allowed: what lies in its {held:,} events"
    )
    with pytest.raises(BadRecording, match=re.escape(message)):
        dataset.read(sample._replace(part=(0, held + 1)))


def test_a_recording_that_the_card_chooses_must_be_there(tmp_path: Path) -> None:
    named = catalog.card("sl_animals_dvs")
    sl_animals_dvs.write(tmp_path, named.spec)
    (tmp_path / "allusers_aedat" / "user34_imse.aedat").unlink()
    with pytest.raises(
        BadDataset, match=r"allusers_aedat: no user34_imse, that the card chooses; to obtain it: "
    ):
        samples(tmp_path, named.spec, **(named.spec.layout or {}))


@pytest.mark.parametrize(
    "layout",
    [
        {"lists": {}},
        {"chosen": {"test": ["a"]}},
        {"lists": {}, "rest": "train"},
        {"lists": {}, "chosen": {"test": ["a"]}},
    ],
)
def test_windows_without_one_rule_of_splits_are_refused(tmp_path: Path, layout: dict[str, Any]) -> None:
    whole = dict(catalog.card("dvs_gesture").spec.layout or {}) | layout
    with pytest.raises(BadSpec, match="which recordings are in which split is not said"):
        samples(tmp_path, card(["a"], ["train", "test"]), **whole)


def rows(root: Path, name: str = "shd") -> list[Sample]:
    spec = catalog.card(name).spec
    return samples(root, spec, **(spec.layout or {}))


def test_rows_are_counted_from_1_and_read_from_0(tmp_path: Path) -> None:
    written = hsd.write(tmp_path, catalog.card("shd").spec)
    found = rows(tmp_path)
    assert [one.id for one in found] == sorted(written)
    assert [(one.id, one.row) for one in found[:2]] == [("test/00001", 0), ("test/00002", 1)]


def test_a_file_of_rows_that_is_missing_or_has_other_labels_is_named(tmp_path: Path) -> None:
    hsd.write(tmp_path, catalog.card("shd").spec)
    path = tmp_path / "shd_test.h5"
    with h5py.File(path, "r+") as file:
        file["labels"][3] = 20
    with pytest.raises(BadDataset, match=re.escape(f"{path}: the label of row 3 is 20; allowed: 0 to 19")):
        rows(tmp_path)
    with h5py.File(path, "r+") as file:
        del file["labels"]
    with pytest.raises(BadDataset, match=re.escape(f"{path}: no labels in it")):
        rows(tmp_path)
    path.write_bytes(b"no HDF5")
    with pytest.raises(BadDataset, match=re.escape(f"{path}: not a readable HDF5 file")):
        rows(tmp_path)
    path.unlink()
    with pytest.raises(BadDataset, match=re.escape(f"{path}: is not there; to obtain it: ")):
        rows(tmp_path)


def test_words_that_are_not_the_cards_are_named(tmp_path: Path) -> None:
    spec = catalog.card("ssc").spec
    hsd.write(tmp_path, spec)
    path = tmp_path / "ssc_valid.h5"
    with h5py.File(path, "r+") as file:
        words = file["extra/keys"][()]
        words[0] = b"shout"
        file["extra/keys"][...] = words
    with pytest.raises(
        BadDataset, match=r"ssc_valid\.h5, extra/keys: its words are not the card's classes: "
    ):
        rows(tmp_path, "ssc")
    with h5py.File(path, "r+") as file:
        del file["extra/speaker"]
        file["extra/speaker"] = np.zeros(3, np.uint16)
        file["extra/keys"][...] = [word.encode() for word in spec.classes]
    with pytest.raises(BadDataset, match=r"ssc_valid\.h5: 35 labels and 3 subjects"):
        rows(tmp_path, "ssc")


def test_rows_of_a_source_whose_files_hold_one_recording_are_refused(tmp_path: Path) -> None:
    card = catalog.card("shd").spec
    changed = msgspec.structs.replace(card, source={"name": "atis_bin"})
    with pytest.raises(
        BadSpec, match=r"^\[layout\]: the source is 'atis_bin'; allowed: one whose files hold"
    ):
        registry.layouts.build(card.layout, where="shd.toml").samples(changed, tmp_path)
