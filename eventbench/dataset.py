"""A card and a folder of raw recordings: which samples there are, whether they are the right ones, their events."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from eventbench import digest, registry
from eventbench.catalog import Named
from eventbench.errors import BadDataset, some
from eventbench.events import Events
from eventbench.layouts.base import Sample
from eventbench.sources.base import file_bytes
from eventbench.specs.card import Card

A = TypeVar("A")


def _one_at_a_time(function: Callable[[Path], A]) -> Callable[[Path], A]:
    """A kept function that several workers may call: the second waits for what the first is making."""
    lock = threading.Lock()

    def called(path: Path) -> A:
        with lock:
            return function(path)

    return called


class Dataset:
    """The recordings a card describes, below `data`: in a folder named by the card, in tonic's, or in `data` itself."""

    def __init__(self, card: Named[Card], data: Path) -> None:
        self.id, self.card = card.id, card.spec
        self.hashes = card.path.with_suffix(".sha256")
        self.source = registry.sources.build(card.spec.source, where=card.path.name)
        self.layout = (
            registry.layouts.build(card.spec.layout, where=card.path.name) if card.spec.layout else None
        )
        named = [data / name for name in (card.id, card.spec.obtain.tonic) if name]
        # Samples are read in order of id, and those of one file stand together: the last two files are enough.
        self._kept_decoded = _one_at_a_time(lru_cache(maxsize=2)(self._decoded))
        self._file_digest = _one_at_a_time(lru_cache(maxsize=64)(digest.of_file))
        self.root = next((folder for folder in named if folder.is_dir()), data)

    def samples(self) -> list[Sample]:
        """Every sample, sorted by id. Raises BadDataset with what is missing and how to obtain it."""
        if self.layout is None:
            found = self.source.samples(self.card)
        else:
            found = self.layout.samples(self.card, self.root)
        for split in self.card.splits:
            self._check(split, [sample for sample in found if sample.split == split])
        return found

    def read(self, sample: Sample) -> tuple[Events, str]:
        """The events of one sample, and the sha256 of its file ("" for a simulated one)."""
        if self.layout is None:
            return self.source.read(sample.recording, self.card.sensor), ""
        path = Path(sample.recording)
        if sample.row is not None:
            return self.source.decode_row(path, sample.row, self.card.sensor), self._file_digest(path)
        if sample.window is None:
            return self._decoded(path)
        events, sha256 = self._kept_decoded(path)
        start, stop = np.searchsorted(events.t, sample.window, side="left")
        return events[int(start) : int(stop)], sha256

    def _decoded(self, path: Path) -> tuple[Events, str]:
        data = file_bytes(path)
        return self.source.decode(data, str(path), self.card.sensor), hashlib.sha256(data).hexdigest()

    def check_files(self, split: str, hashes: dict[str, str]) -> None:
        """Raises BadDataset when the files of a split (id -> sha256) are not those the card pins."""
        pinned = self.card.splits[split].files
        if not pinned or digest.of_lines(f"{id} {sha}" for id, sha in hashes.items()) == pinned:
            return
        changed = []
        if self.hashes.is_file():
            lines = (line.split(maxsplit=1) for line in self.hashes.read_text().splitlines())
            expected = {id: sha for sha, id in lines}
            changed = [id for id in sorted(hashes) if hashes[id] != expected.get(id)]
        raise BadDataset(
            f"split {split!r}: {some(changed) or 'some files'} differ from the published ones",
            where=f"{self.id} at {self.root}",
            fix=f"fetch them again: {self.card.obtain.how}",
        )

    def _check(self, split: str, found: list[Sample]) -> None:
        pin = self.card.splits[split]
        ids = {sample.id for sample in found}
        where = f"{self.id} at {self.root}"
        if len(ids) != pin.samples or (pin.ids and digest.of_lines(ids) != pin.ids):
            expected = {pin.numbered.format(k) for k in range(1, pin.samples + 1)} if pin.numbered else set()
            missing, extra = sorted(expected - ids), sorted(ids - expected) if expected else []
            others = "; their names are not the card's" if len(ids) == pin.samples and not missing else ""
            told = others + "".join(
                [
                    f"; missing: {some(missing)}" if missing else "",
                    f"; not in the dataset: {some(extra)}" if extra else "",
                ]
            )
            raise BadDataset(
                f"split {split!r} has {len(ids):,} of {pin.samples:,} recordings{told}",
                where=where,
                fix=f"to obtain it: {self.card.obtain.how}; then name the folder with --data-dir",
            )
        counts = Counter(sample.label for sample in found)
        per_class = [counts[label] for label in range(len(self.card.classes))]
        if pin.per_class and per_class != pin.per_class:
            raise BadDataset(
                f"split {split!r} has {per_class} recordings a class", where=where, allowed=str(pin.per_class)
            )
