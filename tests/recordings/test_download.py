"""A data set fetched as its card says: from a server on this machine, checked, unpacked, and what goes wrong in one line."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import tonic.datasets

from eventbench.errors import BadDataset
from eventbench.files import fetch as fetch_module
from eventbench.recordings.dataset import Dataset
from eventbench.recordings.download import DOWNLOADS, _known_to_tonic, download
from eventbench.specs import catalog
from eventbench.specs.card import Archive, Card, Obtain
from eventbench.specs.catalog import Named
from tests.files.test_unpack import zipped
from tests.support.file_server import Site, serving
from tests.support.miniatures import atis_bytes, run_cli

FILES = {
    split: zipped({f"{split.title()}/{label}/{k}.bin": atis_bytes([(j, j % 34, label, k) for j in range(5000)]) for label in (0, 1) for k in range(2)})
    for split in ("train", "test")
}  # fmt: skip
CARD = """
sensor = [34, 34]
classes = ["0", "1"]
source = { name = "atis_bin" }
layout = { name = "class_folders", folders = { train = "Train", test = "Test" }, suffix = ".bin" }
splits = { train = { samples = 4 }, test = { samples = 4 } }

[obtain]
how = "ask us"
"""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(fetch_module, "WAITS_S", (0.01,))
    with serving({f"{split}.zip": data for split, data in FILES.items()}) as site:
        yield site


def card_of(site: Site, folder: Path, md5: dict[str, str] | None = None) -> Named[Card]:
    text = CARD
    for split, data in FILES.items():
        known = (md5 or {}).get(split, hashlib.md5(data).hexdigest())
        text += (
            f'\n[[obtain.files]]\nname = "{split}.zip"\nurl = "{site.url(f"{split}.zip")}"\nmd5 = "{known}"\n'
        )
    (folder / "own.toml").write_text(text)
    return catalog.card(str(folder / "own.toml"))


def test_a_data_set_is_fetched_checked_and_unpacked_once(site: Site, tmp_path: Path) -> None:
    card = card_of(site, tmp_path)
    for _ in range(2):
        assert download(card, tmp_path / "data") == []
        assert len(Dataset(card, tmp_path / "data").samples()) == 8
    assert [name for name, _ in site.asked] == ["train.zip", "test.zip"]
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [DOWNLOADS, "own"]


def test_recordings_that_were_lost_come_back_from_the_archive_that_is_there(
    site: Site, tmp_path: Path
) -> None:
    card = card_of(site, tmp_path)
    download(card, tmp_path / "data")
    (tmp_path / "data" / "own" / "Test" / "1" / "0.bin").unlink()
    download(card, tmp_path / "data")
    assert len(Dataset(card, tmp_path / "data").samples()) == 8
    assert len(site.asked) == 2


def test_a_download_that_broke_off_goes_on_the_next_time(site: Site, tmp_path: Path) -> None:
    card = card_of(site, tmp_path)
    site.breaks = [32768, 0]
    with pytest.raises(
        BadDataset,
        match=r"own, train\.zip: http://.* broke off after 32,768 bytes .*run the same command again",
    ):
        download(card, tmp_path / "data")
    download(card, tmp_path / "data")
    assert ("train.zip", "bytes=32768-") in site.asked
    assert len(Dataset(card, tmp_path / "data").samples()) == 8


def test_an_archive_of_another_hash_is_refused_and_nothing_of_it_unpacked(site: Site, tmp_path: Path) -> None:
    with pytest.raises(
        BadDataset, match=r"own, train\.zip: what came from .* has not the md5 0+, and was deleted; try again"
    ):
        download(card_of(site, tmp_path, {"train": "0" * 32}), tmp_path / "data")
    assert not (tmp_path / "data" / "own").exists()


def test_what_is_refused_says_how_to_do_it_by_hand(site: Site, tmp_path: Path) -> None:
    site.status = 403
    with pytest.raises(BadDataset, match=r"answers 403 Forbidden; to obtain it by hand: ask us"):
        download(card_of(site, tmp_path), tmp_path / "data")


def test_pages_are_told_and_where_there_is_nothing_else_refused(site: Site, tmp_path: Path) -> None:
    site.kind = "text/html"
    with pytest.raises(
        BadDataset, match=r"own: nothing of it can be fetched by a program: .* leads to a web page.*: ask us"
    ):
        download(card_of(site, tmp_path), tmp_path / "data")


def test_the_others_are_fetched_where_one_address_is_a_page(site: Site, tmp_path: Path) -> None:
    site.kinds["test.zip"] = "text/html"
    (told,) = download(card_of(site, tmp_path), tmp_path / "data")
    assert told.startswith("test.zip: http://")
    assert told.endswith("leads to a web page, not to the file; fetch it by hand")
    assert (tmp_path / "data" / "own" / "Train" / "0" / "0.bin").is_file()


def test_preprocess_fetches_what_is_not_there(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = card_of(site, tmp_path)
    places = ("--data-dir", tmp_path / "data", "--cache-dir", tmp_path / "stores")
    status, out, _ = run_cli(capsys, "preprocess", card.path, "--download", *places)
    assert status == 0
    assert out.startswith("own: 8 recordings, 0 refused")


def test_figshare_is_asked_at_its_other_address_where_the_first_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eventbench.recordings import download as module

    asked: list[str] = []

    def fetched(url: str, path: Path, known: str, progress: object) -> None:
        asked.append(url)
        if "ndownloader" in url:
            raise fetch_module.FetchError("answers 202 Accepted")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FILES["train"])

    monkeypatch.setattr(module, "fetch", fetched)
    archive = Archive(name="train.zip", url="https://ndownloader.figshare.com/files/7712788")
    module._fetch(archive, tmp_path / "train.zip", lambda items, **_: items)
    assert asked == [archive.url, "https://api.figshare.com/v2/file/download/7712788"]


def test_addresses_that_only_tonic_knows_are_taken_from_it(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for split, data in FILES.items():
        monkeypatch.setattr(tonic.datasets.NMNIST, f"{split}_url", site.url(f"{split}.zip"))
        monkeypatch.setattr(tonic.datasets.NMNIST, f"{split}_md5", hashlib.md5(data).hexdigest())
    own = card_of(site, tmp_path)
    card = own._replace(spec=msgspec.structs.replace(own.spec, obtain=Obtain(how="ask us", tonic="NMNIST")))
    assert [archive.name for archive in _known_to_tonic(card)] == ["train.zip", "test.zip"]
    assert download(card, tmp_path / "data") == []
    assert len(Dataset(card, tmp_path / "data").samples()) == 8


@pytest.mark.parametrize("name", catalog.files("datasets"))
def test_every_card_has_addresses_or_says_how_or_is_known_to_tonic(name: str) -> None:
    card = catalog.card(name)
    archives = [archive for archive in card.spec.obtain.files if archive.url] or _known_to_tonic(card)
    for archive in archives:
        assert archive.url.startswith(("https://", "http://"))
        assert "/" not in archive.name
    assert archives or card.spec.obtain.how


def test_tonic_itself_fetches_what_nobody_has_an_address_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []
    kind = tonic.datasets.POKERDVS
    monkeypatch.setattr(kind, "__init__", _recorded(kind.__init__, asked))
    download(catalog.card("poker_dvs"), tmp_path / "data")
    assert asked == [{"save_to": str(tmp_path / "data"), "train": train} for train in (True, False)]


def _recorded(init: Callable[..., None], asked: list[dict[str, object]]) -> Callable[..., None]:
    """An `__init__` of the same signature that only notes how it was called."""

    @functools.wraps(init)
    def noted(self: object, **arguments: object) -> None:
        asked.append(arguments)

    return noted


def test_a_download_by_tonic_that_fails_is_refused_with_how_to_do_it_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, save_to: str, train: bool = True) -> None:
        raise RuntimeError("no route to host")

    monkeypatch.setattr(tonic.datasets.POKERDVS, "__init__", broken)
    with pytest.raises(BadDataset, match="the download failed: no route to host; to obtain it by hand: run"):
        download(catalog.card("poker_dvs"), tmp_path)


def test_a_dataset_nobody_has_an_address_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="nmnist_small: there is no downloader for it; to obtain it: "):
        download(catalog.card("nmnist_small"), tmp_path)
