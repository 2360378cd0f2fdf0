"""Files fetched from a server on this machine: whole, checked, and gone on with where they broke off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eventbench.files import fetch as fetch_module
from eventbench.files.fetch import MEGABYTE, FetchError, fetch
from tests.support.file_server import Site, serving

DATA = np.random.default_rng(0).bytes(3 * MEGABYTE + 12_345)
MD5 = f"md5:{hashlib.md5(DATA).hexdigest()}"
SHA256 = f"sha256:{hashlib.sha256(DATA).hexdigest()}"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(fetch_module, "WAITS_S", (0.01, 0.01))
    with serving({"a.zip": DATA}) as site:
        yield site


def ranges(site: Site) -> list[str]:
    return [asked for _, asked in site.asked]


@pytest.mark.parametrize("known", [MD5, SHA256, ""])
def test_a_file_is_fetched_once_and_found_the_next_time(
    known: str, site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        fetch(site.url("a.zip"), tmp_path / "sub" / "a.zip", known)
        assert (tmp_path / "sub" / "a.zip").read_bytes() == DATA
    assert ranges(site) == [""]
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["a.zip"]
    assert capsys.readouterr() == ("", "")


def test_what_breaks_off_is_gone_on_with_in_the_same_run(site: Site, tmp_path: Path) -> None:
    site.breaks = [MEGABYTE + 5, MEGABYTE]
    fetch(site.url("a.zip"), tmp_path / "a.zip", MD5)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert len(site.asked) == 3
    begun = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in ranges(site)[1:]]
    assert 0 < begun[0] < begun[1] < len(DATA)


def test_what_breaks_off_again_and_again_is_kept_for_the_next_run(site: Site, tmp_path: Path) -> None:
    site.breaks = [MEGABYTE, 0, 0]
    with pytest.raises(
        FetchError, match=r"broke off after 1,048,576 bytes .*run the same command again"
    ) as error:
        fetch(site.url("a.zip"), tmp_path / "a.zip", MD5)
    assert error.value.reason == "broke_off"
    assert (tmp_path / "a.zip.part").read_bytes() == DATA[:MEGABYTE]
    assert not (tmp_path / "a.zip").exists()
    fetch(site.url("a.zip"), tmp_path / "a.zip", MD5)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert ranges(site)[-1] == f"bytes={MEGABYTE}-"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_server_without_ranges_sends_all_of_it_again(site: Site, tmp_path: Path) -> None:
    site.ranges, site.breaks = False, [MEGABYTE]
    fetch(site.url("a.zip"), tmp_path / "a.zip", MD5)
    assert (tmp_path / "a.zip").read_bytes() == DATA


def test_another_version_of_the_file_is_not_joined_to_the_first(site: Site, tmp_path: Path) -> None:
    site.breaks = [MEGABYTE, 0, 0]
    with pytest.raises(FetchError):
        fetch(site.url("a.zip"), tmp_path / "a.zip")
    site.files["a.zip"], site.tag = DATA[::-1], '"2"'
    fetch(site.url("a.zip"), tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == DATA[::-1]


def test_without_a_hash_and_a_version_a_part_is_not_trusted(site: Site, tmp_path: Path) -> None:
    site.tag = ""
    (tmp_path / "a.zip.part").write_bytes(b"something else")
    fetch(site.url("a.zip"), tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert ranges(site) == [""]


@pytest.mark.parametrize("excess", [b"", b"more"])
def test_a_part_that_is_all_of_it_or_longer_ends_in_the_file(
    excess: bytes, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "a.zip.part").write_bytes(DATA + excess)
    fetch(site.url("a.zip"), tmp_path / "a.zip", MD5)
    assert (tmp_path / "a.zip").read_bytes() == DATA


def test_what_has_another_hash_is_deleted_and_said(site: Site, tmp_path: Path) -> None:
    wrong = f"md5:{'0' * 32}"
    with pytest.raises(
        FetchError, match=r"a\.zip: what came from http://.* has not the md5 0{32}, and was deleted; try"
    ):
        fetch(site.url("a.zip"), tmp_path / "a.zip", wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_with_another_hash_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"old")
    fetch(site.url("a.zip"), tmp_path / "a.zip", MD5)
    assert (tmp_path / "a.zip").read_bytes() == DATA


def test_a_page_a_refusal_and_an_empty_answer_are_no_file(site: Site, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="answers 404 Not Found"):
        fetch(site.url("b.zip"), tmp_path / "b.zip", MD5)
    site.status = 202
    with pytest.raises(FetchError, match="answers 202 Accepted"):
        fetch(site.url("a.zip"), tmp_path / "a.zip", MD5)
    site.status, site.kind = 200, "text/html; charset=utf-8"
    with pytest.raises(FetchError, match="leads to a web page, not to the file") as error:
        fetch(site.url("a.zip"), tmp_path / "a.zip", MD5)
    assert error.value.reason == "page"
    site.kind, site.files["a.zip"] = "application/zip", b""
    with pytest.raises(FetchError, match="sends an empty file"):
        fetch(site.url("a.zip"), tmp_path / "a.zip", MD5)
    assert not (tmp_path / "a.zip").exists()


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "WAITS_S", (0,))
    with serving({}) as site:
        url = site.url("a.zip")
    with pytest.raises(FetchError, match=r"broke off after 0 bytes \(Connection refused\); run"):
        fetch(url, tmp_path / "a.zip", MD5)
    with pytest.raises(FetchError, match="ftpx"):
        fetch("ftpx://127.0.0.1/a.zip", tmp_path / "a.zip", MD5)


def test_progress_is_told_in_megabytes_and_where_it_goes_on(site: Site, tmp_path: Path) -> None:
    told: list[tuple[str, str, int, int, int]] = []

    def noted(items: Iterable[Any], *, of: str, unit: str, total: int, done: int = 0) -> Iterator[Any]:
        count = 0
        for item in items:
            count += 1
            yield item
        told.append((of, unit, total, done, count))

    (tmp_path / "a.zip.part").write_bytes(DATA[: 2 * MEGABYTE])
    fetch(site.url("a.zip"), tmp_path / "a.zip", MD5, noted)
    assert told == [("a.zip", "MB", 4, 2, 2)]
