"""The inventory of a cache: its stores, drafts, unfinished files and locks, found without reading a sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from eventbench.errors import BadStore
from eventbench.store.paths import DRAFT, ENDINGS, STORE, belongs_to


class CacheItem(NamedTuple):
    """One thing in the cache: its `path`, its `kind`, and the path of the `store` it is or belongs to."""

    path: Path
    kind: str
    store: Path

    @property
    def dataset(self) -> str:
        """The card's id, as the folder is called."""
        return self.store.parent.name

    @property
    def made_as(self) -> str:
        """`events`, or the id of the pipeline its frames came through, as the file is called."""
        return self.store.stem.rpartition("-")[0]

    @property
    def layout(self) -> str:
        """`events` or `frames`, as the file is called."""
        return "events" if self.made_as == "events" else "frames"

    @property
    def bytes(self) -> int:
        """Its size on disk; 0 where it has gone in the meantime."""
        parts = self.path.rglob("*") if self.kind == DRAFT else [self.path]
        total = 0
        for part in parts:
            try:
                total += part.stat().st_size if part.is_file() else 0
            except OSError:
                continue
        return total


class OpenedItem(NamedTuple):
    """An item opened: what it was `made_from` (the key's value), how many `samples` it has, `trouble` where it is unreadable.

    `raw_digest` is that of a complete store, `left_out` how many samples it was made without. `state` is "complete", "draft", "unfinished", "lock", "layout unknown" or "unreadable".
    """

    item: CacheItem
    state: str
    samples: int = 0
    made_from: dict[str, Any] | None = None
    trouble: str = ""
    raw_digest: str = ""
    left_out: int = 0


def cache_items(cache: Path) -> list[CacheItem]:
    """Everything in the cache that is ours, sorted by path."""
    return sorted(
        CacheItem(path, kind, belongs_to(path, kind))
        for kind, ending in ENDINGS.items()
        for path in cache.glob(f"*/*.h5{ending}")
        if kind != STORE or path.is_file()
    )


def open_item(item: CacheItem) -> OpenedItem:
    """Open an item as far as it takes to say what it is; the payload is not read."""
    if item.kind == STORE:
        return _look_at_store(item)
    if item.kind == DRAFT:
        return _look_at_draft(item)
    return OpenedItem(item, item.kind)


def _look_at_store(item: CacheItem) -> OpenedItem:
    from eventbench.store.opening import opened  # it loads h5py, which listing a cache does not need

    try:
        with opened(item.path) as file:
            samples, made_from = len(file["samples/id"]), json.loads(file.attrs["key_json"])
            raw_digest = str(file.attrs.get("raw_digest", ""))
            left_out = len(file["left_out/id"]) if "left_out" in file else 0
            return OpenedItem(item, "complete", samples, made_from, "", raw_digest, left_out)
    except BadStore as error:
        state = "layout unknown" if error.reason == "layout_unknown" else "unreadable"
        return OpenedItem(item, state, trouble=error.what)


def _look_at_draft(item: CacheItem) -> OpenedItem:
    try:
        made_from = json.loads((item.path / "key.json").read_bytes())
        journal = item.path / "journal.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True) if journal.exists() else []
    except (OSError, ValueError) as error:
        return OpenedItem(item, "draft", trouble=f"no key that can be read ({error})")
    return OpenedItem(item, "draft", sum(line.endswith(b"\n") for line in lines), made_from)
