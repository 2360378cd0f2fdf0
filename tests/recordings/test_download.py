"""Fetching through tonic: every part is asked for, and what goes wrong is one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import tonic.datasets

from eventbench.errors import BadDataset
from eventbench.recordings.download import download
from eventbench.specs import catalog

CARDS = [name for name in catalog.files("datasets") if catalog.card(name).spec.obtain.tonic]


@pytest.mark.parametrize("name", CARDS)
def test_tonic_is_asked_for_every_part_of_a_dataset_it_has(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = catalog.card(name)
    asked: list[dict[str, object]] = []
    kind = getattr(tonic.datasets, card.spec.obtain.tonic)
    monkeypatch.setattr(kind, "__init__", _recorded(kind.__init__, asked))
    download(card, tmp_path / "data")
    assert {call.pop("save_to") for call in asked} == {str(tmp_path / "data")}
    assert asked in (
        [{"train": True}, {"train": False}],
        [{"split": s} for s in ("train", "valid", "test")],
        [{}],
    )
    assert len(asked) >= len(card.spec.splits) or asked == [{}]


def _recorded(init: Callable[..., None], asked: list[dict[str, object]]) -> Callable[..., None]:
    """An `__init__` of the same signature that only notes how it was called."""
    import functools

    @functools.wraps(init)
    def noted(self: object, **arguments: object) -> None:
        asked.append(arguments)

    return noted


def test_a_download_that_fails_is_refused_with_how_to_do_it_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, save_to: str, train: bool = True) -> None:
        raise RuntimeError("no route to host")

    monkeypatch.setattr(tonic.datasets.NMNIST, "__init__", broken)
    with pytest.raises(
        BadDataset, match="the download failed: no route to host; to obtain it by hand: download"
    ):
        download(catalog.card("nmnist"), tmp_path)


def test_a_dataset_tonic_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="n_cars: there is no downloader for it; to obtain it: "):
        download(catalog.card("n_cars"), tmp_path)
