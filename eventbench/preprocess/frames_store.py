"""Raw recordings to a store of events, and that through a pipeline to a store of frames.

Several workers decode or bin, one writer appends in the order of the samples' ids, so that the same card and pipeline
give the same bytes however many workers there were and however often the run was killed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eventbench.preprocess.binning import Binning
from eventbench.preprocess.fill import Payload, fill
from eventbench.preprocess.report import Report, found_complete
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.store.draft import Draft, Row, clear_draft, has_draft
from eventbench.store.key import key_of, path_of
from eventbench.store.paths import exclusive_writer
from eventbench.store.read import EventStore, FrameStore
from eventbench.store.sparse import encode_sparse
from eventbench.store.write import Column, finish


def frames_store(
    card: Named[Card],
    pipeline: Named[Pipeline],
    cache: Path,
    *,
    workers: int = 1,
    rebuild: bool = False,
    progress: bool = False,
) -> Report:
    """Bin every recording of the card's store of events through `pipeline`, into a store of frames.

    Raw files are not touched. A complete store with the same key is left as it is unless `rebuild`.
    """
    store, key = path_of(cache, card, pipeline), key_of(card, pipeline)
    if not (rebuild or has_draft(store)) and (found := found_complete(FrameStore, store, key)):
        return found  # nothing is written: the cache may be read-only
    with exclusive_writer(store):
        if not rebuild and (found := found_complete(FrameStore, store, key)):
            clear_draft(store)
            return found
        events = EventStore(path_of(cache, card)).require_key(key_of(card))
        binning = Binning.of(pipeline)
        row_of = {sample: row for row, sample in enumerate(events.ids)}

        def load(sample_id: str) -> Payload:
            row = row_of[sample_id]
            frames, account = binning.apply(events.columns(row))
            told = Row(
                id=sample_id,
                split=events.splits[row],
                label=int(events.labels[row]),
                subject=events.subjects[row],
                sha256=events.hashes[row],
                events=account.events,
                kept=account.binned,
                lost={reason: count for reason, count in account.lost.items() if count},
            )
            return told, list(encode_sparse(frames))

        dtype = binning.dtype.newbyteorder("<")
        columns = {
            "gap": Column("frames/gap", np.dtype("u1"), "gap_offset"),
            "value": Column("frames/value", dtype, "value_offset"),
        }
        draft = Draft(store, key, list(columns), anew=rebuild)
        report = fill(draft, store, events.ids, load, workers, progress)
        finish(draft, store, key, card, binning.sensor(events.sensor), columns, binning.shape(events.sensor))
        return report
