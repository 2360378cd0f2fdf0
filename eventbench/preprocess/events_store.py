"""Raw recordings to a store of events."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eventbench.errors import BadDataset
from eventbench.events.packed import PackedEvents, address_dtype
from eventbench.preprocess.fill import Payload, fill
from eventbench.preprocess.report import Report, found_complete
from eventbench.recordings.dataset import Dataset
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.store.draft import Draft, Row, clear_draft, has_draft
from eventbench.store.key import key_of, path_of
from eventbench.store.paths import exclusive_writer
from eventbench.store.read import EventStore
from eventbench.store.write import Column, finish


def events_store(
    card: Named[Card],
    data: Path,
    cache: Path,
    *,
    workers: int = 1,
    rebuild: bool = False,
    progress: bool = False,
) -> Report:
    """Decode every recording of the card once, into the card's store of events.

    A complete store with the same key is left as it is unless `rebuild`. Raises BadDataset where recordings are missing or
    differ from the card, Refused where some cannot be decoded; then no store is made, but the draft keeps
    what was read before the first of them.
    """
    store, key = path_of(cache, card), key_of(card)
    if not (rebuild or has_draft(store)) and (found := found_complete(EventStore, store, key)):
        return found  # nothing is written: the cache may be read-only
    with exclusive_writer(store):
        if not rebuild and (found := found_complete(EventStore, store, key)):
            clear_draft(store)
            return found
        dataset = Dataset(card, data)
        samples = {sample.id: sample for sample in dataset.samples()}

        def load(sample_id: str) -> Payload:
            sample = samples[sample_id]
            events, sha256 = dataset.read(sample)
            columns = PackedEvents.of(events)
            row = Row(
                id=sample_id,
                split=sample.split,
                label=sample.label,
                subject=sample.subject,
                sha256=sha256,
                events=len(events),
                kept=len(events),
                start_us=columns.start_us,
            )
            return row, [columns.address, columns.dt, columns.long_row, columns.long_dt]

        columns = {
            "address": Column("events/address", address_dtype(card.spec.sensor)),
            "dt": Column("events/dt", np.dtype("<u2"), "offset"),
            "long_row": Column("long/row", np.dtype("<i8")),
            "long_dt": Column("long/dt", np.dtype("<i8"), "long_offset"),
        }
        draft = Draft(store, key, list(columns), anew=rebuild)
        if not all(dataset.has(samples.get(row.id), row.sha256) for row in draft.rows):
            draft.discard()  # a file is not the one an earlier run has read
            draft = Draft(store, key, list(columns))
        report = fill(draft, store, list(samples), load, workers, progress)
        for split in card.spec.splits:
            hashes = {row.id: row.sha256 for row in draft.rows if row.split == split}
            try:
                dataset.check_files(split, hashes)
            except BadDataset:
                draft.discard()  # else the recordings that are not the card's would be taken from it next time
                raise
        finish(draft, store, key, card, card.spec.sensor, columns)
        return report
