"""The shipped cards: each runs on a miniature in its exact layout, and says of itself what it must."""

from __future__ import annotations

import hashlib
import importlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eventbench import digest
from eventbench.errors import BadDataset
from eventbench.preprocess.events_store import events_store
from eventbench.recordings.dataset import Dataset
from eventbench.specs import catalog
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.store.read import EventStore
from tests.support.dataset_miniatures import Written
from tests.support.miniatures import write_toml

# Card -> the file of dataset_miniatures that writes it, and what its `write` needs to know.
FAMILIES: dict[str, tuple[str, dict[str, str]]] = {
    "asl_dvs": ("asl_dvs", {}),
    "cifar10_dvs_first90": ("cifar10_dvs", {"split": "first90"}),
    "cifar10_dvs_stratified": ("cifar10_dvs", {"split": "stratified"}),
    "cifar10_dvs_tebn": ("cifar10_dvs", {"split": "tebn"}),
    "daily_action_dvs": ("daily_action_dvs", {}),
    "dvs_gesture": ("dvs_gesture", {}),
    "dvs_gesture_tonic": ("dvs_gesture_tonic", {}),
    "dvs_lip": ("dvs_lip", {}),
    "n_caltech101": ("n_caltech101", {}),
    "n_caltech101_objects": ("n_caltech101", {}),
    "n_cars": ("n_cars", {}),
    "mnist_dvs_100": ("mnist_dvs_100", {}),
    "poker_dvs": ("poker_dvs", {}),
    "poker_dvs_pips": ("poker_dvs_pips", {"first": "1"}),
    "poker_dvs_pips_fold2": ("poker_dvs_pips", {"first": "2"}),
    "poker_dvs_pips_fold3": ("poker_dvs_pips", {"first": "3"}),
    "poker_dvs_pips_fold4": ("poker_dvs_pips", {"first": "4"}),
    "poker_dvs_pips_fold5": ("poker_dvs_pips", {"first": "5"}),
    "shd": ("hsd", {}),
    "sl_animals_dvs": ("sl_animals_dvs", {}),
    "ssc": ("hsd", {}),
}
PACKAGED_HERE = {"nmnist", "nmnist_small", "sim_gesture", "sim_gesture_demo"}


def test_every_card_has_a_miniature() -> None:
    assert set(catalog.files("datasets")) == set(FAMILIES) | PACKAGED_HERE


def written(name: str, root: Path) -> dict[str, Written]:
    family, how = FAMILIES[name]
    module = importlib.import_module(f"tests.support.dataset_miniatures.{family}")
    return module.write(root, catalog.card(name).spec, **how)


def reduced(name: str, samples: dict[str, Written], folder: Path, **pins: Any) -> Named[Card]:
    """The shipped card with nothing changed but what it pins about its samples."""
    table = msgspec.toml.decode(catalog.card(name).path.read_bytes())
    for split, pin in table["splits"].items():
        counts = Counter(one.label for one in samples.values() if one.split == split)
        assert counts.total(), f"no sample of {split}"
        pin["samples"] = counts.total()
        if "per_class" in pin:
            pin["per_class"] = [counts[label] for label in table["classes"]]
        if "ids" in pin:
            pin["ids"] = digest.of_lines(called for called, one in samples.items() if one.split == split)
        pin.pop("files", None)
        pin |= pins
    return catalog.card(str(write_toml(folder / f"{name}.toml", table)))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_miniature_in_the_exact_layout_comes_out_as_it_was_written(name: str, tmp_path: Path) -> None:
    data = tmp_path / "raw"
    samples = written(name, data / (catalog.card(name).spec.obtain.folder or name))
    card = reduced(name, samples, tmp_path)
    report = events_store(card, data, tmp_path / "stores", workers=2)
    store = EventStore(report.store)
    assert list(store.ids) == sorted(samples)
    assert store.sensor == tuple(card.spec.sensor)
    for row, called in enumerate(store.ids):
        expected, found = samples[called], store[row]
        who = (store.splits[row], card.spec.classes[store.labels[row]], store.subjects[row])
        assert who == (expected.split, expected.label, expected.subject), called
        columns = [column.tolist() for column in (found.t, found.x, found.y, found.p)]
        assert list(zip(*columns, strict=True)) == expected.events, called
    assert all(len(one.events) > 1 for one in samples.values())


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_card_says_what_a_reader_must_know(name: str) -> None:
    card = catalog.card(name).spec
    assert all([card.about.title, card.about.paper, card.about.url, card.about.licence, card.about.notes])
    assert card.obtain.how
    assert card.obtain.files or all(pin.files for pin in card.splits.values())
    assert len(set(card.classes)) == len(card.classes)
    for file in card.obtain.files:
        assert len(file.md5) in (0, 32), file.name
        assert len(file.sha256) in (0, 64), file.name
    for pin in card.splits.values():
        assert not pin.per_class or sum(pin.per_class) == pin.samples


@pytest.mark.parametrize(
    ("name", "classes", "counts"),
    [
        ("dvs_gesture", 11, {"train": 1176, "test": 288}),
        ("dvs_gesture_tonic", 11, {"train": 1077, "test": 264}),
        ("cifar10_dvs_first90", 10, {"train": 9000, "test": 1000}),
        ("cifar10_dvs_tebn", 10, {"train": 9000, "test": 1000}),
        ("cifar10_dvs_stratified", 10, {"train": 9000, "test": 1000}),
        ("n_cars", 2, {"train": 15422, "test": 8607}),
        ("asl_dvs", 24, {"train": 80640, "test": 20160}),
        ("poker_dvs", 4, {"train": 48, "test": 20}),
        ("poker_dvs_pips", 4, {"train": 60, "validation": 18, "test": 22}),
        ("mnist_dvs_100", 10, {"train": 60, "validation": 20, "test": 20}),
        ("dvs_lip", 100, {"train": 14896, "test": 4975}),
        ("sl_animals_dvs", 19, {"train": 836, "test": 285}),
        ("daily_action_dvs", 12, {"train": 1152, "test": 288}),
        ("shd", 20, {"train": 8156, "test": 2264}),
        ("ssc", 35, {"train": 75466, "validation": 9981, "test": 20382}),
    ],
)
def test_counts_are_those_that_are_published(name: str, classes: int, counts: dict[str, int]) -> None:
    card = catalog.card(name).spec
    assert len(card.classes) == classes
    assert {split: pin.samples for split, pin in card.splits.items()} == counts


@pytest.mark.parametrize(
    ("name", "events"), [("poker_dvs_pips", 286_439), ("poker_dvs_pips_fold4", 286_439), ("mnist_dvs_100", 538_009)]
)  # fmt: skip
def test_the_real_recordings_are_those_that_the_card_pins(
    name: str, events: int, shared_data: Path, tmp_path: Path
) -> None:
    report = events_store(catalog.card(name), shared_data, tmp_path)
    store = EventStore(report.store)
    assert int(store.account["events"].sum()) == events
    groups = {
        (subject, split) for subject, split in zip(store.subjects, store.splits, strict=True) if subject
    }
    assert len(groups) == (33 if name.startswith("poker") else 0)


def test_the_five_folds_of_poker_dvs_test_each_pip_once(shared_data: Path) -> None:
    folds = ["poker_dvs_pips", *(f"poker_dvs_pips_fold{k}" for k in range(2, 6))]
    tested = [
        sample.id
        for fold in folds
        for sample in Dataset(catalog.card(fold), shared_data).samples()
        if sample.split == "test"
    ]
    assert len(tested) == len(set(tested)) == 100


def test_both_cards_of_n_caltech101_add_up_to_its_8709_recordings() -> None:
    whole, objects = catalog.card("n_caltech101").spec, catalog.card("n_caltech101_objects").spec
    assert sum(pin.samples for pin in whole.splits.values()) == 8709
    assert sum(pin.samples for pin in objects.splits.values()) == 8709 - 467
    assert whole.classes == ["BACKGROUND_Google", *objects.classes]
    assert whole.classes == sorted(whole.classes)
    for split, pin in objects.splits.items():
        assert whole.splits[split].per_class[1:] == pin.per_class


def test_the_lists_of_cifar10_dvs_are_those_of_their_rules() -> None:
    def draw(name: str, k: int) -> str:
        return hashlib.sha256(f"0 {name}/cifar10_{name}_{k}".encode()).hexdigest()

    test_numbers: dict[str, Callable[[str], set[int]]] = {
        "cifar10_dvs_first90": lambda name: {*range(91, 100), *range(909, 1000)},  # the last tenth as text
        "cifar10_dvs_tebn": lambda name: set(range(100)),
        "cifar10_dvs_stratified": lambda name: set(sorted(range(1000), key=lambda k: draw(name, k))[900:]),
    }
    for card, tests in test_numbers.items():
        ids: dict[str, set[str]] = {"train": set(), "test": set()}
        for name in catalog.card(card).spec.classes:
            last = tests(name)
            for k in range(1000):
                ids["test" if k in last else "train"].add(f"{name}/cifar10_{name}_{k}")
        for split, pin in catalog.card(card).spec.splits.items():
            assert pin.ids == digest.of_lines(ids[split]), (card, split)


def test_a_recording_under_another_name_is_refused_where_names_are_pinned(tmp_path: Path) -> None:
    root = tmp_path / "cifar10_dvs"
    card = reduced("cifar10_dvs_tebn", written("cifar10_dvs_tebn", root), tmp_path)
    Dataset(card, tmp_path).samples()
    (root / "cat" / "cifar10_cat_5.aedat").rename(root / "cat" / "cifar10_cat_6.aedat")
    with pytest.raises(
        BadDataset, match=r"split 'train' has 90 of 90 recordings; their names are not the card's"
    ):
        Dataset(card, tmp_path).samples()


def test_the_cards_of_one_data_set_find_it_in_one_folder(tmp_path: Path) -> None:
    samples = written("cifar10_dvs_tebn", tmp_path / "cifar10_dvs")
    for name in ("cifar10_dvs_first90", "cifar10_dvs_tebn", "cifar10_dvs_stratified"):
        assert Dataset(catalog.card(name), tmp_path).root == tmp_path / "cifar10_dvs"
    assert len(Dataset(reduced("cifar10_dvs_tebn", samples, tmp_path), tmp_path).samples()) == 100
