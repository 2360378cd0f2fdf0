"""Examining stores, to the last byte, and making broken ones again from what they were made from."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventbench import digest
from eventbench.errors import BadStore, some
from eventbench.files.progress import Progress, no_progress
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.preprocess.freshness import stored_samples
from eventbench.specs.card import Card, SplitPins
from eventbench.specs.catalog import Named
from eventbench.store.draft import clear_draft
from eventbench.store.expected import ExpectedStores
from eventbench.store.inventory import CacheItem, cache_items
from eventbench.store.opening import raw_digest_of
from eventbench.store.paths import STORE, try_lock
from eventbench.store.read import Store, open_any


class Health(NamedTuple):
    """A store examined: `faults` are sentences, `damaged` the ids of samples whose bytes have changed.

    `not_checked` is the reason where this version of eventbench cannot read it. `other_recordings` says of a store made
    again that it is not of the recordings it was made from before.
    """

    item: CacheItem
    samples: int = 0
    faults: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    not_checked: str = ""
    other_recordings: bool = False


def examine_all(cache: Path, expected: ExpectedStores) -> list[Health]:
    """Every store of the cache, in order of path; drafts are unfinished work and not examined."""
    return [examine(item, expected) for item in cache_items(cache) if item.kind == STORE]


def examine(item: CacheItem, expected: ExpectedStores) -> Health:
    """One store: its key, its name, the checksum of every sample, its account, and what the card pins of it."""
    try:
        store = open_any(item.path)
        damaged = store.damaged()
        faults = [*_key_faults(store), *_account_faults(store)]
    except BadStore as error:
        if error.reason == "layout_unknown":
            return Health(item, not_checked=error.what)
        return Health(item, faults=(error.what,))
    except Exception as error:  # noqa: BLE001  # damaged metadata makes h5py and NumPy raise almost anything
        return Health(item, faults=(f"not a readable store ({error})",))
    if damaged:
        faults.append(f"{len(damaged):,} of {len(store):,} samples are damaged: {some(damaged)}")
    known = expected.of(item)
    if known and store.made_from.get("card") == known.card.spec.digest:
        faults += _pin_faults(store, known.card)
    return Health(item, len(store), tuple(faults), tuple(damaged))


def repair(
    health: Health,
    expected: ExpectedStores,
    data: Path,
    cache: Path,
    *,
    workers: int = 1,
    progress: Progress = no_progress,
) -> Health:
    """Make a store again: events from the raw recordings below `data`, frames from the store of events.

    The old store stays until the new one is complete. What it was made without may be left out again, and nothing else.
    Raises BadStore where no known card and pipeline make this
    store or somebody is writing it, BadDataset where the recordings are not at hand or cannot be read.
    """
    path = health.item.path
    store = expected.by_path.get(path)
    if store is None:
        raise BadStore(
            "no known card and pipeline make this store now",
            where=path,
            fix="name yours with --card and --pipeline, or remove the file",
        )
    with try_lock(path) as locked:
        if not locked:
            raise BadStore("another process is writing it", where=path, fix="wait until it is done")
        if store.pipeline:  # a draft may hold frames of the store of events as it was when that was damaged
            clear_draft(path)
    digest_before, left_out = _before(path)
    events_store(
        store.card,
        data,
        cache,
        workers=workers,
        rebuild=store.pipeline is None,
        keep_going=bool(left_out),
        incomplete=store.pipeline is not None,
        may_be_left_out=left_out,
        progress=progress,
    )
    if store.pipeline:
        frames_store(
            store.card,
            store.pipeline,
            cache,
            workers=workers,
            rebuild=True,
            incomplete=True,
            progress=progress,
        )
    again = examine(health.item, expected)
    if again.faults:
        raise BadStore(f"made again, and still broken: {again.faults[0]}", where=path)
    return again._replace(other_recordings=digest_before not in (None, raw_digest_of(path)))


def _before(path: Path) -> tuple[str | None, list[str]]:
    """The `raw_digest` of a store, and the samples that it was made without; None and none where it is too damaged to say."""
    try:
        store = open_any(path)
    except BadStore:
        return None, []
    return store.raw_digest, [sample.id for sample in store.left_out]


def _key_faults(store: Store) -> list[str]:
    faults = []
    if digest.of_value(store.made_from) != store.key:
        faults.append("its key is not that of what it says it was made from")
    named = store.path.stem.rpartition("-")[2]
    if named != store.key[:8]:
        faults.append(f"its name has the key {named}, its content {store.key[:8]}: it was renamed")
    return faults


def _account_faults(store: Store) -> list[str]:
    """LAYOUT.md: in every row, events = kept + the sum of what was lost."""
    out = sum((counts for name, counts in store.account.items() if name != "events"), np.int64(0))
    wrong = np.flatnonzero(store.account["events"] != out)
    if not len(wrong):
        return []
    names = some([store.ids[row] for row in wrong])
    return [f"the account of {len(wrong):,} samples does not add up: {names}"]


def _pin_faults(store: Store, card: Named[Card]) -> list[str]:
    """Ids, labels and file hashes against the card, in a store of any layout version; samples left out are known, not missing."""
    faults, samples, hashes = [], stored_samples(store), dict(zip(store.ids, store.hashes, strict=True))
    for name, pins in card.spec.splits.items():
        labels = {id: label for id, split, label, _ in samples if split == name}
        whole = labels.keys() <= hashes.keys()  # of what cannot be read, the file is not the card's
        files = {id: hashes[id] for id in labels} if whole else None
        actual = SplitPins.of(labels, labels.values(), len(card.spec.classes), files)
        differ = pins.disagreements(actual)
        if "samples" in differ or "ids" in differ:
            counts = f"{actual.count} of {pins.count}"
            faults.append(f"split {name!r} has other samples than the card ({counts})")
            continue
        if "per_class" in differ:
            faults.append(
                f"split {name!r} has {actual.per_class} samples a class, the card says {pins.per_class}"
            )
        if "files" in differ:
            faults.append(f"split {name!r} was made from other files than the card pins")
    return faults
