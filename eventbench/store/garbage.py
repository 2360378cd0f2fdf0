"""Collecting garbage: finding what in the cache is of no use any more, and removing it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from eventbench.errors import BadStore
from eventbench.store.expected import ExpectedStores
from eventbench.store.inventory import CacheItem, cache_items, open_item
from eventbench.store.paths import DRAFT, ENDINGS, LOCK, STORE, UNFINISHED, being_written, beside, try_lock


class Garbage(NamedTuple):
    """An item that may go: what it is, why, its size, and whether it was `left` because somebody is writing it."""

    item: CacheItem
    why: str
    bytes: int
    left: bool = False


def find_garbage(cache: Path, expected: ExpectedStores, *, own: bool = False) -> list[Garbage]:
    """Drafts, unfinished files, locks without a store, and stale stores.

    Stores of which nothing is known stay: unreadable ones (repair makes them again), those of an unknown layout, and
    those of cards or pipelines that are not among the `expected`, unless `own`.
    """
    items = cache_items(cache)
    in_use = {item.store for item in items if item.kind != LOCK}
    reasons = [(item, _why(item, expected, in_use, own)) for item in items]
    return [Garbage(item, why, item.bytes) for item, why in reasons if why]


def _why(item: CacheItem, expected: ExpectedStores, in_use: set[Path], own: bool) -> str:
    if item.kind == DRAFT:
        return f"a draft with {open_item(item).samples:,} samples done"
    if item.kind == UNFINISHED:
        return "an unfinished file"
    if item.kind == LOCK:
        return "" if item.store in in_use else "a lock without a store"
    state, reason = expected.classify_state(open_item(item))
    if state == "unreadable" and expected.of(item) and item.path not in expected.by_path:
        return f"unreadable and stale: {reason}"
    return reason if state == "stale" or (own and state == "own") else ""


def collect_garbage(garbage: Iterable[Garbage], *, dry_run: bool = False) -> list[Garbage]:
    """Remove the garbage, or only say what would be removed; what somebody is writing now is left.

    Raises BadStore where something cannot be removed.
    """
    if dry_run:
        return [entry._replace(left=being_written(entry.item.store)) for entry in garbage]
    # It is gone where its writer has finished in the meantime.
    return [entry._replace(left=not _removed(entry.item)) for entry in garbage if entry.item.path.exists()]


def _removed(item: CacheItem) -> bool:
    store = item.store
    with try_lock(store) as locked:
        if not locked:
            return False
        try:
            if item.kind == DRAFT:
                shutil.rmtree(item.path)
            elif item.kind in (STORE, UNFINISHED):
                item.path.unlink(missing_ok=True)
            if not any(beside(store, kind).exists() for kind in ENDINGS if kind != LOCK):
                # While it is held: a waiting process then makes a new one.
                beside(store, LOCK).unlink(missing_ok=True)
        except OSError as error:
            raise BadStore(f"cannot be removed: {error.strerror or error}", where=item.path) from None
    _remove_if_empty(store.parent)
    return True


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # it holds something else
        folder.rmdir()
