"""`frames_store`: a store of events through a pipeline to a store of frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eventbench.errors import BadStore
from eventbench.files.progress import Progress, no_progress
from eventbench.preprocess.binning import Binning
from eventbench.preprocess.fill import Payload, fill, make_once
from eventbench.preprocess.freshness import Freshness
from eventbench.preprocess.report import Report
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.store.differences import OTHER_EVENTS
from eventbench.store.draft import Draft, Row
from eventbench.store.key import StoreKey
from eventbench.store.opening import raw_digest_of
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
    incomplete: bool = False,
    progress: Progress = no_progress,
) -> Report:
    """Bin every recording of the card's store of events through `pipeline`, into a store of frames.

    Raw files are not touched, and the same events and pipeline give the same bytes, as with `events_store`. A complete
    store with the same key is left as it is unless `rebuild`, or unless the store of events was made from other
    recordings since. Raises BadStore where the store of events is not there,
    BadSpec or UnknownName where the pipeline cannot be followed.
    """
    key, events_key = StoreKey.of(cache, card, pipeline), StoreKey.of(cache, card)

    def make() -> Report:
        events = EventStore(events_key.path).require_key(events_key)
        binning = Binning.of(pipeline)
        shape = binning.shape(events.sensor)
        columns = {
            "gap": Column("frames/gap", np.dtype("u1"), "gap_offset"),
            "value": Column("frames/value", binning.dtype.newbyteorder("<"), "value_offset"),
        }
        rows = {sample: row for row, sample in enumerate(events.ids)}
        draft = Draft(key, list(columns), content=events.raw_digest, start_over=rebuild)
        report = fill(draft, events.ids, lambda name: _load(events, rows[name], binning), workers, progress)
        finish(
            draft,
            card,
            binning.sensor(events.sensor),
            columns,
            shape,
            events.raw_files(),
            events.left_out,
            events.notes,
        )
        report.samples += len(events.left_out)
        report.refused = {sample.id: sample.reason for sample in events.left_out}
        return report

    return make_once(
        FrameStore,
        key,
        lambda frames: look_at_events(frames, events_key.path),
        make,
        rebuild=rebuild,
        incomplete=incomplete,
    )


def look_at_events(frames: FrameStore, events_path: Path) -> Freshness:
    """Whether a store of frames is of the recordings that the store of events at this path, if there is one, was made from."""
    try:
        same = not events_path.exists() or raw_digest_of(events_path) == frames.raw_digest
        if same and frames.left_out and events_path.exists():
            same = EventStore(events_path).left_out == frames.left_out
    except BadStore:
        same = True  # nothing is known of a damaged store of events; the frames are sound
    return Freshness(stale="" if same else OTHER_EVENTS)


def _load(events: EventStore, row: int, binning: Binning) -> Payload:
    frames, account = binning.apply(events.columns(row))
    entry = Row(
        id=events.ids[row],
        split=events.splits[row],
        label=int(events.labels[row]),
        subject=events.subjects[row],
        sha256=events.hashes[row],
        events=account.events,
        kept=account.binned,
        lost={reason: count for reason, count in account.lost.items() if count},
        mended={kind: count for kind, counts in events.mended.items() if (count := int(counts[row]))},
    )
    return entry, list(encode_sparse(frames))
