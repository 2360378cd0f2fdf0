"""A card and a folder of raw recordings: which samples there are, whether they are the right ones, their events."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from eventbench import digest, registry
from eventbench.errors import BadDataset, BadRecording, some
from eventbench.events import Events
from eventbench.files.content import file_bytes
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.pins import PinnedSplit, Pins, pins_path, read_pins
from eventbench.specs.sample import Sample

A = TypeVar("A")


def _one_at_a_time(function: Callable[[Path], A]) -> Callable[[Path], A]:
    """A kept function that several workers may call: the second waits for what the first is making."""
    lock = threading.Lock()

    def called(path: Path) -> A:
        with lock:
            return function(path)

    return called


class Dataset:
    """The recordings a card describes, below `data`: in a folder named by the card, in tonic's, or in `data` itself.

    `pins` is what was pinned about them on this machine, None where nothing was.
    """

    def __init__(self, card: Named[Card], data: Path) -> None:
        self.id, self.card = card.id, card.spec
        self.hashes = card.path.with_suffix(".sha256")
        self.source = registry.sources.build(card.spec.source, where=card.path.name)
        self.layout = (
            registry.layouts.build(card.spec.layout, where=card.path.name) if card.spec.layout else None
        )
        named = [data / name for name in (card.id, card.spec.obtain.folder, card.spec.obtain.tonic) if name]
        # Samples are read in order of id, and those of one file stand together: the last two files are enough.
        self._kept_decoded = _one_at_a_time(lru_cache(maxsize=2)(self._decoded))
        self._file_digest = _one_at_a_time(lru_cache(maxsize=64)(digest.of_file))
        self.root = next((folder for folder in named if folder.is_dir()), data)
        self.pins_file = pins_path(data, card.id)
        self.pins: Pins | None = read_pins(self.pins_file) if self.layout else None

    def samples(self) -> list[Sample]:
        """Every sample, sorted by id. Raises BadDataset with what is missing and how to obtain it."""
        if self.layout is None:
            found = self.source.samples(self.card)
        else:
            found = self.layout.samples(self.card, self.root)
            self._refuse_overlap(found)
        for split in self.card.splits:
            self._check(split, [sample for sample in found if sample.split == split])
        return found

    def read(self, sample: Sample) -> tuple[Events, str]:
        """The events of one sample, and the sha256 of its file ("" for a simulated one)."""
        if self.layout is None:
            return self.source.read(sample.recording, self.card.sensor), ""
        if sample.row is None and sample.window is None and sample.part is None:
            return self._decoded(sample.recording)
        path = Path(sample.recording)
        if sample.row is not None:
            return self.source.decode_row(path, sample.row, self.card.sensor), self._file_digest(path)
        events, sha256 = self._kept_decoded(path)
        start, stop = sample.part or np.searchsorted(events.t, sample.window or (0, 0), side="left")
        if start >= len(events) or stop == 0 or (sample.part and stop > len(events)):
            of, unit = (sample.part, "events") if sample.part else (sample.window, "us")
            raise BadRecording(
                f"sample {sample.id} is its {unit} {of}, which it does not have",
                where=path,
                allowed=_extent(events, unit),
            )
        return events[int(start) : int(stop)], sha256

    def has(self, sample: Sample | None, sha256: str) -> bool:
        """Whether the sample is one, and its file is the one with this sha256 ("" for a simulated one)."""
        if sample is None or self.layout is None:
            return sample is not None
        try:
            return self._file_digest(Path(sample.recording)) == sha256
        except OSError:
            return False

    def _decoded(self, path: Path | str) -> tuple[Events, str]:
        data = file_bytes(path)
        return self.source.decode(data, str(path), self.card.sensor), hashlib.sha256(data).hexdigest()

    def check_files(self, split: str, hashes: dict[str, str]) -> None:
        """Raises BadDataset when the files of a split (id -> sha256) are not those that the card pins, or pins here do."""
        pinned, found = self.card.splits[split].files, _of_files(hashes)
        here = self._pinned_here(split)
        if here and here.files != found:
            self._refuse_other_than_pinned_here(split, "files")
        if not pinned or found == pinned:
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

    def pinned(self, found: Iterable[Sample], hashes: dict[str, str]) -> PinnedSplit:
        """What there is to pin about the samples of a split: counts and digests. `hashes` are id -> sha256 of its file."""
        found = list(found)
        counts = Counter(sample.label for sample in found)
        return PinnedSplit(
            samples=len(found),
            per_class=[counts[label] for label in range(len(self.card.classes))],
            ids=digest.of_lines(sample.id for sample in found),
            labels=digest.of_lines(_place(sample) for sample in found),
            files=_of_files(hashes),
        )

    def _refuse_overlap(self, found: list[Sample]) -> None:
        first: dict[tuple[object, ...], Sample] = {}
        for sample in found:
            place = str(sample.recording), sample.window, sample.part, sample.row
            other = first.setdefault(place, sample)
            if other.split != sample.split:
                raise BadDataset(
                    f"{other.id} of split {other.split!r} and {sample.id} of split {sample.split!r} are the same recording",
                    where=sample.recording,
                    fix="put it into one split",
                )

    def _pinned_here(self, split: str) -> PinnedSplit | None:
        return self.pins.splits.get(split) if self.pins else None

    def _refuse_other_than_pinned_here(self, split: str, what: str) -> None:
        raise BadDataset(
            f"split {split!r}: its {what} are not those that were pinned here at first sight",
            where=f"{self.id} at {self.root}",
            fix=f"bring back what was there, or, if the change is wanted, remove {self.pins_file} to pin anew",
        )

    def _check(self, split: str, found: list[Sample]) -> None:
        self._check_counts(split, found)
        here = self._pinned_here(split)
        if here is None:
            return
        now = self.pinned(found, {})
        if (now.samples, now.per_class, now.ids) != (here.samples, here.per_class, here.ids):
            self._refuse_other_than_pinned_here(split, "recordings")
        if now.labels != here.labels:
            self._refuse_other_than_pinned_here(split, "labels")

    def _check_counts(self, split: str, found: list[Sample]) -> None:
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


def _of_files(hashes: dict[str, str]) -> str:
    return digest.of_lines(f"{id} {sha}" for id, sha in hashes.items())


def _place(sample: Sample) -> str:
    """A line of what a sample is, but for its bytes and where the data set lies."""
    start, stop = sample.window or sample.part or ("", "")
    unit = "us" if sample.window else "events" if sample.part else ""
    row = "" if sample.row is None else sample.row
    return f"{sample.id} {sample.label} {start} {stop} {unit} {row}".rstrip()


def _extent(events: Events, unit: str) -> str:
    if unit == "events" or not len(events):
        return f"what lies in its {len(events):,} events"
    return f"what lies in its {events.t[0]} to {events.t[-1]} us"
