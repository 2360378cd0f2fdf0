"""Recordings that no publisher lists are pinned at first sight, on request, and held to that from then on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from eventbench.cli.verify import command
from eventbench.errors import BadDataset, BadSpec
from eventbench.preprocess.events_store import events_store
from eventbench.recordings.dataset import Dataset
from eventbench.specs import catalog
from eventbench.specs.card import Card
from tests.support.dataset_miniatures import dvs_gesture
from tests.support.formats import aedat31
from tests.support.miniatures import write_toml


class Place(NamedTuple):
    """A miniature of DVS128 Gesture, whose card (here the only one shipped) pins counts alone."""

    folder: Path
    data: Path

    @property
    def root(self) -> Path:
        return self.data / "mini"

    @property
    def pins(self) -> Path:
        return self.data / "mini.pins.toml"

    def card(self) -> catalog.Named[Card]:
        return catalog.card("mini")

    def preprocess(self, cache: str = "stores") -> int:
        return events_store(self.card(), self.data, self.folder / cache).samples


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    import msgspec

    shipped = catalog.card("dvs_gesture")
    made = Place(tmp_path, tmp_path / "raw")
    dvs_gesture.write(made.root, shipped.spec)
    table = msgspec.toml.decode(shipped.path.read_bytes())
    table["splits"] = {"train": {"samples": 24}, "test": {"samples": 12}}
    folder = tmp_path / "shipped" / "datasets"
    folder.mkdir(parents=True)
    write_toml(folder / "mini.toml", table)
    monkeypatch.setattr("eventbench.home.shipped", lambda kind: tmp_path / "shipped" / kind)
    for variable, value in (
        ("DATA", made.data),
        ("CACHE", tmp_path / "stores"),
        ("BOARD", tmp_path / "board"),
    ):
        monkeypatch.setenv(f"EVENTBENCH_{variable}", str(value))
    return made


def verify(*options: str, status: int = 0) -> Result:
    result = CliRunner().invoke(command, ["datasets", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == status, result.stdout
    return result


def test_without_write_it_is_said_that_nothing_pins_them(place: Place) -> None:
    assert verify().stdout == (
        "datasets: 1 files checked, 0 broken\n"
        "  at hand: mini: its counts are the card's; nothing pins its recordings yet: "
        "eventbench verify datasets --write\n"
    )
    assert not place.pins.exists()
    document = json.loads(verify("--json").stdout)["datasets"]
    assert (document["not_pinned"], document["pinned_here"]) == (["mini"], {})


def test_a_card_that_leaves_the_counts_open_is_said_to(place: Place) -> None:
    card = place.card().path
    text = card.read_text()
    card.write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith(("samples", "per_class"))) + "\n"
    )
    assert "at hand: mini: the card pins no counts; nothing pins its recordings yet: " in verify().stdout
    assert json.loads(verify("--json").stdout)["datasets"]["counts_open"] == ["mini"]


def test_write_pins_what_is_there_and_says_by_whom(place: Place) -> None:
    assert (
        f"at hand: mini: pinned here and now, not by the publisher: {place.pins}\n"
        in verify("--write").stdout
    )
    text = place.pins.read_text()
    assert text.startswith(
        "# Pinned here, at first sight, by eventbench verify datasets --write; not by the publisher."
    )
    assert str(place.folder) not in text
    line = f"at hand: mini: its recordings are those pinned here, not by the publisher: {place.pins}\n"
    assert line in verify().stdout
    # A second --write finds the pins and leaves them.
    assert line in verify("--write").stdout
    assert place.pins.read_text() == text
    assert json.loads(verify("--json").stdout)["datasets"]["pinned_here"] == {"mini": str(place.pins)}
    assert place.preprocess() == 36


def test_the_same_recordings_are_pinned_the_same_anywhere(place: Place) -> None:
    verify("--write")
    first = place.pins.read_text()
    place.pins.unlink()
    place.root.rename(place.data / "DvsGesture")
    verify("--write")
    assert place.pins.read_text() == first


def change_a_file(place: Place) -> None:
    path = place.root / "user24_led.aedat"
    path.write_bytes(path.read_bytes() + aedat31.special(1))


def move_a_window(place: Place) -> None:
    path = place.root / "user24_led_labels.csv"
    lines = path.read_text().splitlines()
    label, start, stop = lines[3].split(",")
    path.write_text("\n".join([*lines[:3], f"{label},{int(start) + 1},{stop}", *lines[4:]]))


def change_a_class(place: Place) -> None:
    path = place.root / "user24_led_labels.csv"
    path.write_text(path.read_text().replace("\n3,", "\n4,"))


def swap_two_recordings(place: Place) -> None:
    train, test = place.root / "trials_to_train.txt", place.root / "trials_to_test.txt"
    text = train.read_text()
    train.write_text(text.replace("user01_fluorescent.aedat", "user24_led.aedat"))
    test.write_text("user01_fluorescent.aedat\n")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (change_a_file, "files"),
        (move_a_window, "labels"),
        (change_a_class, "recordings"),
        (swap_two_recordings, "recordings"),
    ],
)
def test_anything_else_is_refused_from_then_on(
    place: Place, change: Callable[[Place], None], what: str
) -> None:
    verify("--write")
    before = place.pins.read_text()
    change(place)
    message = f"its {what} are not those that were pinned here at first sight; bring back what was there"
    for options in ([], ["--write"]):
        assert message in verify(*options, status=1).stdout
    with pytest.raises(BadDataset, match=message):
        place.preprocess("other stores")
    assert place.pins.read_text() == before
    # As the message says: without the pins, it is pinned again.
    place.pins.unlink()
    verify("--write")
    assert place.pins.read_text() != before
    assert place.preprocess("other stores") == 36


def test_too_few_recordings_are_never_pinned(place: Place) -> None:
    (place.root / "trials_to_test.txt").write_text("")
    assert "split 'test' has 0 of 12 recordings" in verify("--write", status=1).stdout
    assert not place.pins.exists()


def test_pins_that_do_not_say_what_they_must_are_broken(place: Place) -> None:
    place.pins.write_text("[splits.train]\nsample = 3\n")
    assert "broken: recordings of mini: mini.pins.toml: unknown key 'sample'" in verify(status=1).stdout
    with pytest.raises(
        BadSpec, match=r"^mini\.pins\.toml: unknown key 'sample' at .*; did you mean 'samples'\?$"
    ):
        Dataset(place.card(), place.data)


def test_a_folder_that_cannot_be_written_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    message = f"broken: recordings of mini: {place.pins}: cannot be written: No space left on device"
    assert message in verify("--write", status=1).stdout


def test_write_is_for_data_sets_only() -> None:
    error = CliRunner().invoke(command, ["--write"]).exception
    assert isinstance(error, BadSpec)
    assert str(error) == "verify: --write pins recordings; eventbench verify datasets --write"


def test_a_hash_that_is_none_is_a_fault_of_the_card(place: Place) -> None:
    import msgspec

    path = place.folder / "shipped" / "datasets" / "mini.toml"
    table = msgspec.toml.decode(path.read_bytes())
    table["obtain"]["files"][0]["md5"] = "8A5C"
    write_toml(path, table)
    assert "DvsGesture.tar.gz: its md5 is '8A5C', no 32 small hexadecimal digits" in verify(status=1).stdout


def test_one_recording_in_two_splits_is_refused(tmp_path: Path) -> None:
    from tests.support.miniatures import card_table, miniature

    made = miniature(tmp_path, train=2, test=2)
    layout = card_table(2, 2)["layout"] | {"folders": {"train": "train", "test": "train"}}
    write_toml(made.card, card_table(2, 2) | {"layout": layout})
    message = (
        f"{made.file('train', 1)}: test/00001 of split 'test' and train/00001 of split 'train' are the same recording; "
        "put it into one split"
    )
    with pytest.raises(BadDataset) as refused:
        Dataset(made.named_card, made.places.data).samples()
    assert str(refused.value) == message
