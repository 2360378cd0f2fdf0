"""Fetching a dataset's archives from the addresses in its card, or where it has none, from those that tonic knows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eventbench.errors import BadDataset, EventbenchError
from eventbench.files.fetch import FetchError, fetch
from eventbench.files.progress import Progress, no_progress
from eventbench.files.unpack import is_archive, unpack
from eventbench.recordings.dataset import Dataset
from eventbench.specs.card import Archive, Card
from eventbench.specs.catalog import Named

DOWNLOADS = ".downloads"  # below the data folder: archives as they came
_FIGSHARE = re.compile(r"https://(?:ndownloader\.figshare\.com|figshare\.com/ndownloader)/files/(\d+)")


def download(card: Named[Card], data: Path, progress: Progress = no_progress) -> list[str]:
    """The card's files, fetched, checked and unpacked below `data`; nothing where the data set is there.

    What broke off is gone on with the next time; archives stay in `.downloads`, so that none is fetched twice. Returns lines
    about what has to be fetched by hand: addresses that lead to a page. Raises BadDataset where nobody knows an address, or
    a download fails.
    """
    if _is_there(card, data):
        return []
    archives = [archive for archive in card.spec.obtain.files if archive.url] or _known_to_tonic(card)
    if not archives:
        _by_tonic(card, data)
        return []
    folder = data / (card.spec.obtain.folder or card.id)
    by_hand = []
    for archive in archives:
        path = data / DOWNLOADS / folder.name / archive.name
        try:
            _fetch(archive, path, progress)
        except FetchError as error:
            if error.reason == "page":
                by_hand.append(f"{error}; fetch it by hand")
                continue
            how = error.fix or f"to obtain it by hand: {card.spec.obtain.how}"
            raise error.as_kind(BadDataset, where=f"{card.id}, {archive.name}", fix=how) from None
        try:
            if is_archive(path):
                unpack(path, folder)
            else:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / path.name).write_bytes(path.read_bytes())
        except EventbenchError as error:
            raise error.as_kind(BadDataset, where=path) from None
    if len(by_hand) == len(archives):
        raise BadDataset(
            f"nothing of it can be fetched by a program: {by_hand[0].partition('; ')[0]}",
            where=card.id,
            fix=f"to obtain it by hand: {card.spec.obtain.how}",
        )
    return by_hand


def _is_there(card: Named[Card], data: Path) -> bool:
    try:
        return bool(Dataset(card, data).samples())
    except BadDataset:
        return False


def _fetch(archive: Archive, path: Path, progress: Progress) -> None:
    """The archive from its address, or where that sends nothing, from figshare's other one."""
    hash_of_it = f"sha256:{archive.sha256}" if archive.sha256 else f"md5:{archive.md5}" if archive.md5 else ""
    try:
        fetch(archive.url, path, hash_of_it, progress)
    except FetchError as error:
        match = _FIGSHARE.fullmatch(archive.url)
        if not match or error.reason:
            raise
        fetch(f"https://api.figshare.com/v2/file/download/{match[1]}", path, hash_of_it, progress)


def _known_to_tonic(card: Named[Card]) -> list[Archive]:
    """The archives whose addresses and hashes tonic's class for the data set states."""
    if not card.spec.obtain.tonic:
        return []
    import tonic.datasets

    known = vars(getattr(tonic.datasets, card.spec.obtain.tonic))
    return [
        Archive(name=known[f"{part}filename"], url=known[f"{part}url"], md5=known[f"{part}md5"])
        for part in ("train_", "valid_", "test_")
        if {f"{part}filename", f"{part}url", f"{part}md5"} <= known.keys()
    ]


def _by_tonic(card: Named[Card], data: Path) -> None:
    """The archives fetched and unpacked by tonic itself, which checks their hashes and goes on with nothing."""
    instructions = card.spec.obtain.how
    if not card.spec.obtain.tonic:
        raise BadDataset("there is no downloader for it", where=card.id, fix=f"to obtain it: {instructions}")
    import tonic.datasets

    fetch_all = getattr(tonic.datasets, card.spec.obtain.tonic)
    data.mkdir(parents=True, exist_ok=True)
    try:
        for part in _parts(fetch_all):
            fetch_all(save_to=str(data), **part)
    except (OSError, RuntimeError) as error:
        raise BadDataset(
            f"the download failed: {error}", where=card.id, fix=f"to obtain it by hand: {instructions}"
        ) from None


def _parts(fetch_all: Callable[..., Any]) -> list[dict[str, Any]]:
    """The arguments of each call it takes to have all of a dataset: tonic's classes name their parts in three ways."""
    names = inspect.signature(fetch_all).parameters
    if "train" in names:
        return [{"train": True}, {"train": False}]
    return [{"split": split} for split in ("train", "valid", "test")] if "split" in names else [{}]
