"""Fetching a dataset's archives with tonic's downloader, where its addresses still work."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eventbench.errors import BadDataset
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named


def download(card: Named[Card], data: Path) -> None:
    """The card's archives, fetched and unpacked below `data` by tonic, which checks their hashes.

    Raises BadDataset where tonic does not know the dataset or the download fails.
    """
    instructions = card.spec.obtain.how
    if not card.spec.obtain.tonic:
        raise BadDataset("there is no downloader for it", where=card.id, fix=f"to obtain it: {instructions}")
    import tonic.datasets

    fetch = getattr(tonic.datasets, card.spec.obtain.tonic)
    data.mkdir(parents=True, exist_ok=True)
    try:
        for part in _parts(fetch):
            fetch(save_to=str(data), **part)
    except (OSError, RuntimeError) as error:
        raise BadDataset(
            f"the download failed: {error}", where=card.id, fix=f"to obtain it by hand: {instructions}"
        ) from None


def _parts(fetch: Callable[..., Any]) -> list[dict[str, Any]]:
    """The arguments of each call it takes to have all of a dataset: tonic's classes name their parts in three ways."""
    names = inspect.signature(fetch).parameters
    if "train" in names:
        return [{"train": True}, {"train": False}]
    return [{"split": split} for split in ("train", "valid", "test")] if "split" in names else [{}]
