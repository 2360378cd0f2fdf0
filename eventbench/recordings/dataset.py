"""`Dataset`: a card and a folder of raw recordings; its samples, their events, and whether they are those that are pinned."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from eventbench import digest, registry
from eventbench.errors import BadDataset, BadRecording, some
from eventbench.events import Events
from eventbench.files.progress import Progress, no_progress
from eventbench.layouts.base import Layout
from eventbench.recordings.content import label_line
from eventbench.recordings.files_read import FilesRead
from eventbench.recordings.long_recordings import LongRecordings, one_at_a_time
from eventbench.recordings.passed_over import PassedOver, by_reason, passed_over, relative_path
from eventbench.sources.base import Decoded
from eventbench.specs.card import Card, SplitPins
from eventbench.specs.catalog import Named
from eventbench.specs.pins import PinnedSplit, Pins, pins_path, read_pins
from eventbench.specs.sample import Extent, Sample


class Dataset:
    """The recordings a card describes, below `data`: in a folder named by the card, in tonic's, or in `data` itself.

    `pins` is what was pinned about them on this machine, None where nothing was; `files_read` are the files read so far.
    What is found out about long recordings of which samples are parts is kept below `cache`; None keeps nothing. `workers` threads look for it.
    """

    def __init__(
        self,
        card: Named[Card],
        data: Path,
        *,
        cache: Path | None = None,
        workers: int = 1,
        progress: Progress = no_progress,
    ) -> None:
        self.id, self.card = card.id, card.spec
        self.hashes = card.path.with_suffix(".sha256")
        self.source = registry.sources.build(card.spec.source, where=card.path.name)
        self.layout = (
            registry.layouts.build(card.spec.layout, where=card.path.name) if card.spec.layout else None
        )
        names = (card.id, card.spec.obtain.folder, card.spec.obtain.tonic)
        folders = [data / name for name in names if name]
        self.files_read = FilesRead()
        self._file_digest = one_at_a_time(lru_cache(maxsize=64)(self.files_read.hash))
        self._long = LongRecordings(self.source, card.spec.sensor, self._file_digest, cache)
        self._first_ids: dict[str, str] = {}  # of the samples of each long recording, by its path
        self._without_windows: dict[
            str, str
        ] = {}  # why a recording that was to be cut gave no sample, by its path
        self._workers, self._progress = workers, progress
        own_folder = next((folder for folder in folders if folder.is_dir()), None)
        self.root, self._has_own_folder = own_folder or data, own_folder is not None
        self._samples: list[Sample] = []  # as they were last listed
        self.pins_file = pins_path(data, card.id)
        self.pins: Pins | None = read_pins(self.pins_file) if self.layout else None

    def samples(self) -> list[Sample]:
        """Every sample, sorted by id. Raises BadDataset with what is missing and how to obtain it."""
        samples = self.listed()
        self.check(samples)
        return samples

    def listed(self) -> list[Sample]:
        """Every sample that is there, sorted by id, whatever is pinned. Raises BadDataset where they cannot be listed."""
        if self.layout is None:
            return self.source.samples(self.card)
        samples = self.layout.samples(self.card, self.root)
        if self.layout.cuts:
            samples = self._cut(self.layout, samples)
        for sample in samples:
            if sample.window or sample.part:
                self._first_ids.setdefault(str(sample.recording), sample.id)
        return samples

    def at_hand(self, known: Iterable[str] = ()) -> list[Sample] | None:
        """The samples of `listed`; None where the folder is not there, is empty, or holds none of them.

        A folder of the card's own name that holds other things is at hand, and so is one that has a file of `known`, paths
        below it: where its samples cannot be listed, BadDataset is raised.
        """
        try:
            if not self.root.is_dir() or not any(self.root.iterdir()):
                return None
            samples = self.listed()
        except OSError as error:
            raise BadDataset(f"cannot be read: {error.strerror}", where=self.root) from None
        except BadDataset:
            if self._has_own_folder or any((self.root / path).exists() for path in known):
                raise
            return None
        return samples if self._has_own_folder or samples else None

    def check(self, samples: list[Sample]) -> None:
        """Raises BadDataset where these are not the samples that are pinned, or one recording is in two splits."""
        if self.layout is not None:
            self._refuse_overlap(samples)
        self._samples = samples
        for split in self.card.splits:
            self._check(split, [sample for sample in samples if sample.split == split])

    def read(self, sample: Sample) -> tuple[Events, str]:
        """The events of one sample, and the sha256 of its file ("" for a simulated one)."""
        decoded, sha256 = self.read_counted(sample)
        return decoded.events, sha256

    def read_counted(self, sample: Sample) -> tuple[Decoded, str]:
        """As `read`, with the account of what its decoder left out.

        What a file lost counts with the sample that is the whole file; see `LongRecordings` for one that is a part of it.
        """
        if self.layout is None:
            return self.source.read_counted(sample.recording, self.card.sensor), ""
        if sample.window or sample.part:
            first = self._first_ids.get(str(sample.recording), sample.id)
            return self._long.read(sample, first=sample.id == first)
        if sample.row is None:
            return self._decoded(sample.recording)
        path = Path(sample.recording)
        return self.source.decode_row_counted(path, sample.row, self.card.sensor), self._file_digest(path)

    def has(self, sample: Sample | None, sha256: str) -> bool:
        """Whether the sample is one, and its file is the one with this sha256 ("" for a simulated one)."""
        if sample is None or self.layout is None:
            return sample is not None
        try:
            return self._file_digest(Path(sample.recording)) == sha256
        except OSError:
            return False

    def _cut(self, layout: Layout, whole: list[Sample]) -> list[Sample]:
        """The samples that a layout cuts recordings into; one that cannot be read stays whole, and reading it says why."""
        samples: list[Sample] = []
        self._without_windows = {}
        with ThreadPoolExecutor(self._workers) as pool:
            extents = zip(whole, pool.map(self._extent, whole), strict=True)
            for sample, extent in self._progress(extents, of=self.id, unit="recording", total=len(whole)):
                windows = layout.cut(sample, extent) if extent else [sample]
                if extent and not windows:
                    why = "it is shorter than a window" if extent.events else "it has no events"
                    self._without_windows[relative_path(sample, self.root)] = why
                samples += windows
        return sorted(samples, key=lambda sample: sample.id)

    def _extent(self, sample: Sample) -> Extent | None:
        try:
            return self._long.extent(Path(sample.recording))
        except BadRecording:
            return None

    def _decoded(self, path: Path | str) -> tuple[Decoded, str]:
        data, sha256 = self.files_read.read(path)
        return self.source.decode_counted(data, str(path), self.card.sensor), sha256

    def check_files(self, split: str, hashes: dict[str, str]) -> None:
        """Raises BadDataset when the files of a split (id -> sha256) are not those that the card pins, or pins here do."""
        actual = SplitPins.of(hashes, hashes=hashes)
        local = self._local_pins(split)
        if local and "files" in local.disagreements(actual):
            raise self._differs_from_local_pins(split, "files")
        if "files" not in self.card.splits[split].disagreements(actual):
            return
        changed = []
        if self.hashes.is_file():
            lines = (line.split(maxsplit=1) for line in self.hashes.read_text().splitlines())
            expected = {id: sha256 for sha256, id in lines}
            changed = [id for id in sorted(hashes) if hashes[id] != expected.get(id)]
        raise BadDataset(
            f"split {split!r}: {some(changed) or 'some files'} differ from the published ones",
            where=self._where,
            fix=f"fetch them again: {self.card.obtain.how}",
        )

    def pins_of(self, samples: Iterable[Sample], hashes: dict[str, str] | None = None) -> PinnedSplit:
        """What there is to pin about the samples of a split; `hashes` are id -> sha256 of its file, None leaves files out."""
        samples = list(samples)
        labels = [sample.label for sample in samples]
        actual = SplitPins.of((sample.id for sample in samples), labels, len(self.card.classes), hashes)
        return PinnedSplit(
            samples=len(samples),
            per_class=actual.per_class,
            ids=actual.ids,
            labels=digest.of_lines(label_line(sample) for sample in samples),
            files=actual.files,
        )

    def _refuse_overlap(self, samples: list[Sample]) -> None:
        first_at: dict[tuple[object, ...], Sample] = {}
        for sample in samples:
            place = str(sample.recording), sample.window, sample.part, sample.row
            first = first_at.setdefault(place, sample)
            if first.split != sample.split:
                raise BadDataset(
                    f"{first.id} of split {first.split!r} and {sample.id} of split {sample.split!r} are the same recording",
                    where=sample.recording,
                    fix="put it into one split",
                )

    def _check(self, split: str, samples: list[Sample]) -> None:
        """Raises BadDataset where the samples of a split are not those that the card pins, or the pins on this machine."""
        actual, pins = self.pins_of(samples), self.card.splits[split]
        differ = pins.disagreements(actual)
        if "samples" in differ or "ids" in differ or not samples:
            raise self._other_samples(split, samples)
        if "per_class" in differ:
            raise BadDataset(
                f"split {split!r} has {actual.per_class} recordings a class",
                where=self._where,
                allowed=str(pins.per_class),
            )
        local = self._local_pins(split)
        differ = local.disagreements(actual) if local else []
        if differ:
            raise self._differs_from_local_pins(split, "labels" if differ == ["labels"] else "recordings")

    @property
    def _where(self) -> str:
        return f"{self.id} at {self.root}"

    def passed_over(self, samples: Iterable[Sample]) -> list[PassedOver]:
        """Files of the folder that are none of these samples, and why; none where there is no folder."""
        if self.layout is None or not self.root.is_dir():
            return []
        found = dict(passed_over(self.card, self.layout, self.root, samples)) | self._without_windows
        return [PassedOver(path, found[path]) for path in sorted(found)]

    def _other_samples(self, split: str, samples: list[Sample]) -> BadDataset:
        """The error of a split with other recordings than the card's; which ones they are stands before the advice."""
        pins, ids = self.card.splits[split], {sample.id for sample in samples}
        not_taken = by_reason(self.passed_over(self._samples))
        counted = "no" if pins.samples is None else f"{len(ids):,} of {pins.samples:,}"
        numbered = pins.numbered_ids
        missing, extra = sorted(numbered - ids), sorted(ids - numbered) if numbered else []
        details = [
            "their names are not the card's" if len(ids) == pins.samples and not missing else "",
            f"missing: {some(missing)}" if missing else "",
            f"not in the dataset: {some(extra)}" if extra else "",
            f"not taken: {'; '.join(not_taken)}" if not_taken else "",
            f"to obtain it: {self.card.obtain.how}",
            "then name the folder with --data-dir",
        ]
        return BadDataset(
            f"split {split!r} has {counted} recordings",
            where=self._where,
            fix="; ".join(detail for detail in details if detail),
            reason="other_samples",
        )

    def _local_pins(self, split: str) -> PinnedSplit | None:
        return self.pins.splits.get(split) if self.pins else None

    def _differs_from_local_pins(self, split: str, what: str) -> BadDataset:
        return BadDataset(
            f"split {split!r}: its {what} are not those that were pinned here at first sight",
            where=self._where,
            fix=f"bring back what was there, or, if the change is wanted, remove {self.pins_file} to pin again",
        )
