"""What lies in the cache: stores, drafts, unfinished files and locks, found without reading a sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from eventbench.store.key import READS
from eventbench.store.seal import UNSEALED, is_sealed

STORE, DRAFT, UNFINISHED, LOCK = "store", "draft", "unfinished", "lock"
_ENDINGS = {DRAFT: ".draft", UNFINISHED: ".unfinished", LOCK: ".lock"}


class CacheItem(NamedTuple):
    """One thing on the shelf: its `path`, its `kind`, and the path of the `store` it is or belongs to."""

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
    """An item opened: what it was `made_from` (the key's value), its `samples`, and `trouble` where it cannot be read.

    `state` is "complete", "draft", "unfinished", "lock", "layout unknown" or "unreadable".
    """

    item: CacheItem
    state: str
    samples: int = 0
    made_from: dict[str, Any] | None = None
    trouble: str = ""


def find(cache: Path) -> list[CacheItem]:
    """Everything on the shelf, sorted by path. Other files and folders of the cache are none of ours."""
    items = [CacheItem(path, STORE, path) for path in cache.glob("*/*.h5") if path.is_file()]
    for kind, ending in _ENDINGS.items():
        for path in cache.glob(f"*/*.h5{ending}"):
            items.append(CacheItem(path, kind, path.with_name(path.name.removesuffix(ending))))
    return sorted(items)


def look(item: CacheItem) -> OpenedItem:
    """Open an item as far as it takes to say what it is; the payload is not read."""
    if item.kind == STORE:
        return _look_into(item)
    if item.kind == DRAFT:
        return _look_at_draft(item)
    return OpenedItem(item, item.kind)


def _look_into(item: CacheItem) -> OpenedItem:
    import h5py

    try:
        sealed = is_sealed(item.path)
        if sealed is False:  # and HDF5 may crash on it
            return OpenedItem(item, "unreadable", trouble=UNSEALED)
        with h5py.File(item.path, "r") as file:
            attrs = file.attrs
            if attrs.get("format") != "eventbench" or attrs.get("layout") not in ("events", "frames"):
                return OpenedItem(item, "unreadable", trouble="an HDF5 file, but no eventbench store")
            version = attrs.get("layout_version")
            if version not in READS:
                told = f"layout version {version}, this version of eventbench reads {' and '.join(map(str, READS))}"
                return OpenedItem(item, "layout unknown", trouble=told)
            if version > 1 and not sealed:
                return OpenedItem(item, "unreadable", trouble="its seal is gone")
            if attrs.get("complete") != 1:
                return OpenedItem(item, "unreadable", trouble="it was never finished")
            return OpenedItem(item, "complete", len(file["samples/id"]), json.loads(attrs["key_json"]))
    except Exception as error:  # h5py raises half a dozen unrelated types on damaged files
        return OpenedItem(item, "unreadable", trouble=f"not a readable store ({error})")


def _look_at_draft(item: CacheItem) -> OpenedItem:
    try:
        made_from = json.loads((item.path / "key.json").read_bytes())
        journal = item.path / "journal.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True) if journal.exists() else []
    except (OSError, ValueError) as error:
        return OpenedItem(item, "draft", trouble=f"no key that can be read ({error})")
    return OpenedItem(item, "draft", sum(line.endswith(b"\n") for line in lines), made_from)
