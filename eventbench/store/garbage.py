"""Collecting garbage: what on the shelf is of no use any more, and taking it away."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from eventbench.errors import BadStore
from eventbench.store.expected import ExpectedStores
from eventbench.store.inventory import DRAFT, LOCK, STORE, UNFINISHED, CacheItem, find, look
from eventbench.store.paths import being_written, lock_of, try_lock


class Garbage(NamedTuple):
    """An item that may go: what it is, why, its size, and whether it was `left` because somebody is writing it."""

    item: CacheItem
    why: str
    bytes: int
    left: bool = False


def find_garbage(cache: Path, rules: ExpectedStores, *, own: bool = False) -> list[Garbage]:
    """Drafts, unfinished files, locks without a store, and stores made by other rules than the present ones.

    Stores that nothing can be said of stay: unreadable ones (repair makes them again), those of an unknown layout, and
    those of cards or pipelines that are not in `rules`, unless `own`.
    """
    items = find(cache)
    kept = {item.store for item in items if item.kind != LOCK}
    found = []
    for item in items:
        why = _why(item, rules, kept, own)
        if why:
            found.append(Garbage(item, why, item.bytes))
    return found


def _why(item: CacheItem, rules: ExpectedStores, kept: set[Path], own: bool) -> str:
    if item.kind == DRAFT:
        return f"a draft with {look(item).samples:,} samples done"
    if item.kind == UNFINISHED:
        return "an unfinished file"
    if item.kind == LOCK:
        return "" if item.store in kept else "a lock without a store"
    state, reason = rules.classify_state(look(item))
    if state == "unreadable" and rules.of(item) and item.path not in rules.present:
        return f"unreadable, and made by other rules: {reason}"
    return reason if state == "other rules" or (own and state == "own") else ""


def collect_garbage(found: Iterable[Garbage], *, dry_run: bool = False) -> list[Garbage]:
    """Remove what was found, or only say what would be; what somebody is writing now is left.

    Raises BadStore where something cannot be removed.
    """
    done = []
    for piece in found:
        if dry_run:
            done.append(piece._replace(left=being_written(piece.item.store)))
        elif piece.item.path.exists():  # gone where its writer finished in the meantime
            done.append(piece._replace(left=not _removed(piece.item)))
    return done


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
            if not any(
                store.with_name(store.name + ending).exists() for ending in ("", ".draft", ".unfinished")
            ):
                lock_of(store).unlink(
                    missing_ok=True
                )  # while it is held: a waiting process then makes a new one
        except OSError as error:
            raise BadStore(f"cannot be removed: {error.strerror or error}", where=item.path) from None
    _remove_if_empty(store.parent)
    return True


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # it holds something else
        folder.rmdir()
