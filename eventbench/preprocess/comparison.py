"""Every store of a cache beside the recordings in a folder, each file hashed: `cache verify --data-dir`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from eventbench.errors import BadDataset, BadStore
from eventbench.preprocess.freshness import folder_state, stored_samples
from eventbench.recordings.changes import Changes
from eventbench.recordings.content import content_digest
from eventbench.recordings.dataset import Dataset
from eventbench.recordings.files_read import path_below
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.raw_files import RawFile, RawFiles
from eventbench.specs.sample import Sample
from eventbench.store.expected import ExpectedStores
from eventbench.store.inventory import cache_items
from eventbench.store.paths import STORE
from eventbench.store.read import Store, open_any


class Comparison(NamedTuple):
    """A store beside a folder: how its recordings `differ`, "" where they do not; `not_compared` is the reason why not."""

    path: Path
    differ: str = ""
    not_compared: str = ""


def compare_all(cache: Path, expected: ExpectedStores, data: Path) -> list[Comparison]:
    """The stores that present cards and pipelines make, in order of path; those of simulated recordings have no folder."""
    comparisons, hashed = [], dict[str, str]()
    for item in cache_items(cache):
        known = expected.by_path.get(item.path)
        if item.kind != STORE or known is None or known.card.spec.layout is None:
            continue
        try:
            changes = _changes(open_any(item.path), known.card, data, hashed)
        except BadStore as error:
            comparisons.append(Comparison(item.path, not_compared=error.what))
        except BadDataset as error:
            comparisons.append(Comparison(item.path, differ=str(error)))
        else:
            missing = f"no recordings of {known.card.id} at {data}" if changes is None else ""
            comparisons.append(Comparison(item.path, str(changes or ""), missing))
    return comparisons


def _changes(store: Store, card: Named[Card], data: Path, hashed: dict[str, str]) -> Changes | None:
    """What differs; None where no recordings are there. `hashed` keeps the sha256 of files for the next store."""
    dataset = Dataset(card, data, cache=store.path.parent.parent)
    raw = store.raw_files()
    samples = dataset.at_hand(raw.files if raw else ())
    if samples is None:
        return None
    raw = raw or _raw_files_by_sample(store, dataset, samples)
    # As if of another folder: no file is taken as unchanged for its size and time.
    folder = folder_state(dataset, samples, raw._replace(folder=""), hashed)
    return folder.changes(stored_samples(store))


def _raw_files_by_sample(store: Store, dataset: Dataset, samples: list[Sample]) -> RawFiles:
    """The files of a store that says of its samples alone which they are; a file that is not there is called as its sample."""
    now = {sample.id: sample for sample in samples}
    paths = {sample.id: path_below(dataset.root, sample.recording) for sample in samples}
    hashes = dict(zip(store.ids, store.hashes, strict=True))
    before = [
        now.get(id, Sample(id, split, label, subject, ""))._replace(split=split, label=label, subject=subject)
        for id, split, label, subject in stored_samples(store)
    ]
    files = {paths.get(id, id): RawFile(-1, -1, sha256) for id, sha256 in hashes.items()}
    return RawFiles("", content_digest(before, hashes), files)
