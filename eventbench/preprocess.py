"""Raw recordings to a store of events, and that through a pipeline to a store of frames.

Several workers decode or bin, one writer appends in the order of the samples' ids, so that the same card and pipeline
give the same bytes however many workers there were and however often the run was killed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from eventbench import registry
from eventbench.catalog import Named
from eventbench.dataset import Dataset
from eventbench.errors import BadDataset, BadSpec
from eventbench.event_columns import EventColumns, address_dtype
from eventbench.representations.base import Account, Representation
from eventbench.specs.card import Card
from eventbench.specs.pipeline import Pipeline
from eventbench.steps.base import Step
from eventbench.store.draft import Draft, Row, clear_draft, has_draft
from eventbench.store.fill import Payload, Report, fill, sole_writer
from eventbench.store.key import key_of, path_of
from eventbench.store.read import EventStore, FrameStore, Store
from eventbench.store.sparse import encode_sparse
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
    if not (rebuild or has_draft(store)) and (found := _found(EventStore, store, key)):
        return found  # nothing is written: the cache may be read-only
    with sole_writer(store):
        if not rebuild and (found := _found(EventStore, store, key)):
            clear_draft(store)
            return found
        dataset = Dataset(card, data)
        samples = {sample.id: sample for sample in dataset.samples()}

        def load(sample_id: str) -> Payload:
            sample = samples[sample_id]
            events, sha256 = dataset.read(sample)
            columns = EventColumns.of(events)
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
    if not (rebuild or has_draft(store)) and (found := _found(FrameStore, store, key)):
        return found  # nothing is written: the cache may be read-only
    with sole_writer(store):
        if not rebuild and (found := _found(FrameStore, store, key)):
            clear_draft(store)
            return found
        events = EventStore(path_of(cache, card)).made_by(key_of(card))
        steps, representation = prepared(pipeline)
        sensor = events.sensor
        for step in steps:
            sensor = step.sensor(sensor)
        row_of = {sample: row for row, sample in enumerate(events.ids)}

        def load(sample_id: str) -> Payload:
            row = row_of[sample_id]
            frames, came, account = _through(events, row, pipeline, steps, representation)
            told = Row(
                id=sample_id,
                split=events.splits[row],
                label=int(events.labels[row]),
                subject=events.subjects[row],
                sha256=events.hashes[row],
                events=came,
                kept=account.binned,
                lost={reason: count for reason, count in account.lost.items() if count},
            )
            return told, list(encode_sparse(frames))

        dtype = np.dtype(representation.array_dtype).newbyteorder("<")
        columns = {
            "gap": Column("frames/gap", np.dtype("u1"), "gap_offset"),
            "value": Column("frames/value", dtype, "value_offset"),
        }
        shape = representation.shape(sensor)
        draft = Draft(store, key, list(columns), anew=rebuild)
        report = fill(draft, store, events.ids, load, workers, progress)
        finish(draft, store, key, card, sensor, columns, shape)
        return report


def _through(
    events: EventStore, row: int, pipeline: Named[Pipeline], steps: list[Step], representation: Representation
) -> tuple[np.ndarray, int, Account]:
    """The frames of a sample, the events that came, and the account of what the steps left of them."""
    if not steps:
        columns = events.columns(row)
        frames, account = representation.apply_columns(columns)
        return frames, len(columns.dt), account
    sample = events[row]
    came = len(sample)
    lost: dict[str, int] = {}
    for table, step in zip(pipeline.spec.steps, steps, strict=True):
        before, sample = len(sample), step.apply(sample)
        lost[table["name"]] = lost.get(table["name"], 0) + before - len(sample)
    frames, account = representation.apply(sample)
    return frames, came, account._replace(lost=lost | account.lost)


def _found(kind: type[Store], store: Path, key: dict[str, Any]) -> Report | None:
    if not store.exists():
        return None
    complete = kind(store).made_by(key)
    return Report(store, len(complete), len(complete))


def prepared(pipeline: Named[Pipeline]) -> tuple[list[Step], Representation]:
    """The steps and the representation a pipeline names. Raises BadSpec, or UnknownName, where it cannot be followed."""
    where = pipeline.path.name
    steps = [registry.steps.build(step, where=where) for step in pipeline.spec.steps]
    for table, step in zip(pipeline.spec.steps, steps, strict=True):
        if step.random:
            raise BadSpec(
                f"step {table['name']!r} is random: a store must come out the same every time",
                where=where,
                fix="augment the view of the training data with it: eb.open_store(..., augment=[...])",
            )
    return steps, registry.representations.build(pipeline.spec.representation, where=where)


def account_of(store: Store) -> dict[str, int]:
    """The account of a whole store: events in, kept, and lost by reason."""
    return {name: int(counts.sum()) for name, counts in store.account.items()}
