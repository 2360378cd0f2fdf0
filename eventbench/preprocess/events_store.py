"""`events_store`: raw recordings to the store of events of a card."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import numpy as np

from eventbench import digest
from eventbench.errors import BadDataset
from eventbench.events.packed import PackedEvents, address_dtype
from eventbench.files.progress import Progress, no_progress
from eventbench.preprocess.fill import Payload, fill, make_once
from eventbench.preprocess.freshness import look_at_folder
from eventbench.preprocess.report import Report
from eventbench.recordings.content import sample_line
from eventbench.recordings.dataset import Dataset
from eventbench.recordings.files_read import path_below
from eventbench.sources.base import LOSSES, MENDED
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.raw_files import RawFiles
from eventbench.specs.sample import Sample
from eventbench.store.draft import Draft, Row
from eventbench.store.key import StoreKey
from eventbench.store.left_out import LeftOut
from eventbench.store.notes import notes_by_kind
from eventbench.store.read import EventStore
from eventbench.store.write import Column, finish


def events_store(
    card: Named[Card],
    data: Path,
    cache: Path,
    *,
    workers: int = 1,
    rebuild: bool = False,
    keep_going: bool = False,
    incomplete: bool = False,
    may_be_left_out: Collection[str] | None = None,
    progress: Progress = no_progress,
) -> Report:
    """Decode every recording of the card once, into the card's store of events.

    The same card and recordings give the same bytes, however many workers there were and however often the run was
    killed. A complete store with the same key is left as it is unless `rebuild`, or unless the recordings below `data`
    are not those it was made from and the card does not pin them; where there are none, the report says so. Raises
    BadDataset where recordings are missing or differ from the card, Refused where some cannot be decoded; then no store is
    made, but the draft keeps what was read before the first of them.

    With `keep_going`, recordings that cannot be decoded are left out, and the store and the report say which: any, or those
    of the samples `may_be_left_out` alone. `incomplete` takes such a store where there is one, and makes none.
    """
    key = StoreKey.of(cache, card)

    def make() -> Report:
        dataset = Dataset(card, data, cache=cache, workers=workers, progress=progress)
        samples = {sample.id: sample for sample in dataset.samples()}
        columns = _columns(card.spec.sensor)
        draft = _draft(key, columns, dataset, samples, rebuild)
        report = fill(
            draft,
            list(samples),
            lambda name: _load(dataset, samples[name]),
            workers,
            progress,
            keep_going=keep_going,
        )
        if may_be_left_out is not None:
            report.refused_but_for(may_be_left_out)
        left_out = _left_out(dataset, samples, report)
        report.refused = {sample.id: sample.reason for sample in left_out}
        _check_files(draft, dataset, {sample.split for sample in left_out})
        raw = _raw_files(draft, dataset, samples, left_out)
        notes = notes_by_kind(draft.rows, lambda id: path_below(dataset.root, samples[id].recording))
        finish(draft, card, card.spec.sensor, columns, raw=raw, left_out=left_out, notes=notes)
        return report

    return make_once(
        EventStore,
        key,
        lambda store: look_at_folder(store, card, data),
        make,
        rebuild=rebuild,
        incomplete=keep_going or incomplete,
    )


def _columns(sensor: tuple[int, int]) -> dict[str, Column]:
    return {
        "address": Column("events/address", address_dtype(sensor)),
        "dt": Column("events/dt", np.dtype("<u2"), "offset"),
        "long_row": Column("long/row", np.dtype("<i8")),
        "long_dt": Column("long/dt", np.dtype("<i8"), "long_offset"),
    }


def _draft(
    key: StoreKey, columns: dict[str, Column], dataset: Dataset, samples: dict[str, Sample], rebuild: bool
) -> Draft:
    """The draft an earlier run has left, unless a recording is not the one that run has read."""
    content = digest.of_lines(map(sample_line, samples.values()))
    draft = Draft(key, list(columns), content=content, start_over=rebuild)
    if all(dataset.has(samples.get(row.id), row.sha256) for row in draft.rows):
        return draft
    draft.discard()
    return Draft(key, list(columns), content=content)


def _load(dataset: Dataset, sample: Sample) -> Payload:
    decoded, sha256 = dataset.read_counted(sample)
    events, lost = decoded.events, decoded.lost
    packed = PackedEvents.of(events)
    row = Row(
        id=sample.id,
        split=sample.split,
        label=sample.label,
        subject=sample.subject,
        sha256=sha256,
        events=len(events) + sum(lost.values()),
        kept=len(events),
        lost=dict(lost),
        mended=decoded.mended,
        notes=[
            (note.kind, note.what, note.fix) for note in decoded.notes if note.kind not in (*LOSSES, *MENDED)
        ],
        start_us=packed.start_us,
    )
    return row, [packed.address, packed.dt, packed.long_row, packed.long_dt]


def _left_out(dataset: Dataset, samples: dict[str, Sample], report: Report) -> list[LeftOut]:
    """The samples that could not be read; their reasons without the place of the folder, which differs between machines."""
    left_out = []
    for id, reason in report.refused.items():
        sample = samples[id]
        sha256 = dataset.files_read.hash(Path(sample.recording)) if dataset.layout else ""
        said = reason.replace(f"{dataset.root}{os.sep}", "")
        left_out.append(LeftOut(id, sample.split, sample.label, sample.subject, sha256, said))
    return left_out


def _raw_files(
    draft: Draft, dataset: Dataset, samples: dict[str, Sample], left_out: list[LeftOut]
) -> RawFiles | None:
    """What the store must know of its files to be found stale later; None where the card pins them."""
    if dataset.card.pins_content:
        return None
    try:
        hashes = {row.id: row.sha256 for row in draft.rows} | {
            sample.id: sample.sha256 for sample in left_out
        }
        return dataset.files_read.raw_files(dataset.root, samples.values(), hashes)
    except BadDataset:
        draft.discard()
        raise


def _check_files(draft: Draft, dataset: Dataset, incomplete: set[str]) -> None:
    """Raises BadDataset where the files of a split are not those that are pinned; of `incomplete` ones, nothing is known."""
    for split in set(dataset.card.splits) - incomplete:
        try:
            dataset.check_files(split, {row.id: row.sha256 for row in draft.rows if row.split == split})
        except BadDataset:
            draft.discard()  # else the recordings that are not the card's would be taken from it next time
            raise
