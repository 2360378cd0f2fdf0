"""Remarks on a folder and the store made from it: files that are not taken, recordings without events, the same in two splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

from eventbench.errors import BadDataset
from eventbench.recordings.dataset import Dataset
from eventbench.recordings.files_read import path_below
from eventbench.specs.sample import Sample
from eventbench.store.read import Store


class Remark(NamedTuple):
    """What is to be known of some files: the `kind` ("not taken", "empty" or "leak"), the files, and a sentence.

    Of the kind "no recordings" it is of a class instead.
    """

    kind: str
    files: list[str]
    what: str


def remarks_on(dataset: Dataset, store: Store) -> list[Remark]:
    """What a user should know of a dataset's folder and the store of its events; none where the folder is not at hand."""
    if dataset.layout is None:
        return []
    try:
        samples = dataset.samples()
    except BadDataset:
        return []
    paths = {sample.id: path_below(dataset.root, sample.recording) for sample in samples}
    files = [paths.get(id, id) for id in store.ids]
    remarks = [Remark("not taken", [file.path], file.why) for file in dataset.passed_over(samples)]
    return remarks + _absent(dataset, samples) + _empty(files, store) + _leaks(files, store)


def _absent(dataset: Dataset, samples: list[Sample]) -> list[Remark]:
    """Classes without a recording, in splits whose numbers are not pinned."""
    labels = {(sample.split, sample.label) for sample in samples}
    return [
        Remark("no recordings", [name], f"a class of which there is none in {split}")
        for split, pins in dataset.card.splits.items()
        for label, name in enumerate(dataset.card.classes)
        if not pins.per_class and (split, label) not in labels
    ]


def _empty(files: list[str], store: Store) -> list[Remark]:
    """Files without events, and those of which some windows have none."""
    samples, empty = Counter(files), Counter[str]()
    for file, events in zip(files, store.account["events"].tolist(), strict=True):
        empty[file] += not events
    return [
        Remark(
            "empty",
            [file],
            "no event in it"
            if count == samples[file]
            else f"no event in {count:,} of its {samples[file]:,} samples",
        )
        for file, count in empty.items()
        if count
    ]


def _leaks(files: list[str], store: Store) -> list[Remark]:
    """Files of the same bytes in different splits."""
    same: dict[str, dict[str, str]] = defaultdict(dict)
    for file, sha256, split in zip(files, store.hashes, store.splits, strict=True):
        if sha256:
            same[sha256].setdefault(split, file)
    return [
        Remark("leak", list(by_split.values()), f"the same recording in {' and '.join(by_split)}")
        for by_split in same.values()
        if len(by_split) > 1
    ]
