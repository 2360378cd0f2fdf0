"""Comparing two stores: what they were made from, which samples they have, and what those hold."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from eventbench.errors import BadStore
from eventbench.store.differences import differences
from eventbench.store.read import EventStore, FrameStore, Store


class SampleDiff(NamedTuple):
    """A sample that both stores have and that is not the same in both: `differences`, a clause each."""

    id: str
    differences: list[str]


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """`key` are clauses on what they were made from; `only_first` and `only_second` are ids; `same` counts samples."""

    key: list[str]
    only_first: list[str]
    only_second: list[str]
    changed: list[SampleDiff]
    same: int

    @property
    def contents_equal(self) -> bool:
        """Whether both hold the same samples to the last event or cell, whatever they were made from."""
        return not (self.only_first or self.only_second or self.changed)


def compare(first: Store, second: Store) -> Diff:
    """Read both stores through. Raises BadStore where one holds events and the other frames, or a sample is damaged."""
    if first.layout != second.layout:
        raise BadStore(
            f"{first.path.name} holds {first.layout}, {second.path.name} holds {second.layout}",
            allowed="two stores of events, or two of frames",
        )
    second_rows = {sample: row for row, sample in enumerate(second.ids)}
    pairs = [
        (sample, row, second_rows[sample]) for row, sample in enumerate(first.ids) if sample in second_rows
    ]
    changed = []
    for sample, i, j in pairs:
        clauses = [*_labels(first, i, second, j), *_contents(first, i, second, j)]
        if clauses:
            changed.append(SampleDiff(sample, clauses))
    in_both = {sample for sample, _, _ in pairs}
    return Diff(
        key=differences(first.made_from, second.made_from),
        only_first=[sample for sample in first.ids if sample not in in_both],
        only_second=[sample for sample in second.ids if sample not in in_both],
        changed=changed,
        same=len(pairs) - len(changed),
    )


def _labels(first: Store, i: int, second: Store, j: int) -> list[str]:
    pairs = {
        "split": (first.splits[i], second.splits[j]),
        "class": (first.classes[first.labels[i]], second.classes[second.labels[j]]),
        "subject": (first.subjects[i], second.subjects[j]),
        "raw file": (first.hashes[i][:8], second.hashes[j][:8]),
    }
    return [f"{name} {a or 'unknown'}, then {b or 'unknown'}" for name, (a, b) in pairs.items() if a != b]


def _contents(first: Store, i: int, second: Store, j: int) -> list[str]:
    if isinstance(first, EventStore) and isinstance(second, EventStore):
        return _events(first, i, second, j)
    assert isinstance(first, FrameStore) and isinstance(second, FrameStore)
    if (first.shape, first.dtype) != (second.shape, second.dtype):
        return [f"frames {first.dtype} {first.shape}, then {second.dtype} {second.shape}"]
    a, b = first[i], second[j]
    if a.tobytes() == b.tobytes():
        return []
    cells = int(np.count_nonzero(a != b))
    most = float(np.max(np.abs(a.astype(np.float64) - b)))
    return [f"{cells:,} of {a.size:,} cells differ, by up to {most:g}"]


def _events(first: EventStore, i: int, second: EventStore, j: int) -> list[str]:
    a, b = first[i], second[j]
    if a == b:
        return []
    if a.sensor != b.sensor:
        return [f"sensor {a.sensor[0]}x{a.sensor[1]}, then {b.sensor[0]}x{b.sensor[1]}"]
    if len(a) != len(b):
        return [f"{len(a):,} events, then {len(b):,}"]
    counts = {name: int(np.count_nonzero(getattr(a, name) != getattr(b, name))) for name in "txyp"}
    return [", ".join(f"{name} of {count:,} events" for name, count in counts.items() if count) + " differ"]
