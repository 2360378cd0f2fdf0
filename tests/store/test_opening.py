"""Opening a store: its seal and head are checked once, in one place, and what is wrong has a reason code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from eventbench.errors import BadStore
from eventbench.preprocess.events_store import events_store
from eventbench.store import opening
from eventbench.store.inventory import CacheItem, open_item
from eventbench.store.paths import DRAFT, ENDINGS, LOCK, STORE, UNFINISHED, belongs_to, beside
from eventbench.store.read import EventStore, open_any
from eventbench.store.seal import is_sealed
from tests.support.miniatures import miniature
from tests.support.stores import seal_anew


@pytest.fixture
def store(tmp_path: Path) -> Path:
    mini = miniature(tmp_path, train=2, test=2)
    return events_store(mini.named_card, mini.places.data, mini.places.cache).store


def test_whoever_opens_a_store_checks_its_seal_once(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Path] = []

    def counted(path: Path) -> bool | None:
        checked.append(path)
        return is_sealed(path)

    monkeypatch.setattr(opening, "is_sealed", counted)
    ways: list[Callable[[Path], object]] = [
        open_any,
        EventStore,
        lambda path: open_item(CacheItem(path, STORE, path)),
    ]
    for number, open_it in enumerate(ways, start=1):
        open_it(store)
        assert checked == [store] * number


def set_attribute(name: str, value: Any) -> Any:
    return lambda file: file.attrs.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "reason", "state"),
    [
        (set_attribute("layout_version", 3), "layout_unknown", "layout unknown"),
        (set_attribute("complete", 0), "unfinished", "unreadable"),
        (set_attribute("format", "other"), "unreadable", "unreadable"),
    ],
)
def test_what_is_wrong_has_a_reason_and_the_inventory_the_same_words(
    store: Path, change: Any, reason: str, state: str
) -> None:
    with h5py.File(store, "r+") as file:
        change(file)
    seal_anew(store)
    with pytest.raises(BadStore) as refused:
        open_any(store)
    assert refused.value.reason == reason
    opened = open_item(CacheItem(store, STORE, store))
    assert (opened.state, opened.trouble) == (state, refused.value.what)


def test_rows_that_are_gone_make_a_store_unreadable_wherever_it_is_opened(store: Path) -> None:
    with h5py.File(store, "r+") as file:
        del file["samples/id"]
    seal_anew(store)
    with pytest.raises(BadStore, match="damaged: ") as refused:
        open_any(store)
    opened = open_item(CacheItem(store, STORE, store))
    assert (refused.value.reason, opened.state) == ("unreadable", "unreadable")
    assert opened.trouble.startswith("damaged: ")


def test_a_store_that_is_absent_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadStore) as refused:
        open_any(tmp_path / "a.h5")
    assert (refused.value.reason, refused.value.where) == ("absent", tmp_path / "a.h5")


def test_an_error_of_ours_that_is_raised_while_a_store_is_open_passes_unchanged(store: Path) -> None:
    with pytest.raises(BadStore, match=r"^mine$"), opening.opened(store):
        raise BadStore("mine")


@pytest.mark.parametrize(
    ("kind", "name"),
    [(STORE, "a.h5"), (DRAFT, "a.h5.draft"), (UNFINISHED, "a.h5.unfinished"), (LOCK, "a.h5.lock")],
)
def test_the_files_around_a_store_are_named_after_it(kind: str, name: str) -> None:
    store = Path("cache") / "mini" / "a.h5"
    assert beside(store, kind) == store.with_name(name)
    assert belongs_to(beside(store, kind), kind) == store
    assert kind in ENDINGS
