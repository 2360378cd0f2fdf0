"""Verifying data files: whether shipped cards, pipelines and tasks hold together, and whether recordings are those pinned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from eventbench import digest
from eventbench.errors import BadDataset, EventbenchError, some
from eventbench.files.progress import Progress, no_progress
from eventbench.recordings.checks import card_faults, line_of, pipeline_faults, task_faults
from eventbench.recordings.dataset import Dataset
from eventbench.recordings.passed_over import other_files
from eventbench.specs import catalog
from eventbench.specs.base import load
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.pins import Pins, write_pins
from eventbench.specs.pipeline import Pipeline
from eventbench.specs.sample import Sample
from eventbench.specs.task import Task

S = TypeVar("S", Card, Pipeline, Task)


@dataclass
class DataFilesReport:
    """What a check of the data files has found.

    `files` were checked, `broken` has the faults by file, and by "recordings of <card>"; the recordings of the cards
    `at_hand` were checked, those `not_at_hand` were not, with the reason. `pinned_here` are the cards at hand whose
    recordings no card but a file on this machine pins, with that file; `now_pinned` those whose file was written by this
    check; `not_pinned` those of which only counts are known, and of `counts_open` among them not even those: their card lets
    the folder grow.
    """

    files: list[str] = field(default_factory=list)
    broken: dict[str, list[str]] = field(default_factory=dict)
    at_hand: list[str] = field(default_factory=list)
    not_at_hand: dict[str, BadDataset] = field(default_factory=dict)
    pinned_here: dict[str, str] = field(default_factory=dict)
    now_pinned: list[str] = field(default_factory=list)
    not_pinned: list[str] = field(default_factory=list)
    counts_open: list[str] = field(default_factory=list)

    def recordings_sound(self, card_id: str) -> bool:
        """Whether nothing is wrong with the recordings of a card."""
        return f"recordings of {card_id}" not in self.broken

    def note_recordings(self, card_id: str, fault: Exception) -> None:
        """Keep what is wrong with the recordings of a card."""
        self.broken.setdefault(f"recordings of {card_id}", []).append(str(fault))


def check_data_files(
    data: Path, board: Path, progress: Progress = no_progress, write: bool = False
) -> DataFilesReport:
    """Every shipped card, pipeline and task (and the board's tasks); recordings below `data`, where they are there.

    With `write`, recordings that neither their card nor an earlier run pins are pinned as they are now.
    """
    report = DataFilesReport()
    for path in catalog.files("datasets").values():
        if _check_file(report, path, Card, card_faults):
            card = Named(path.stem, path, load(path, Card))
            _check_recordings(card, data, report, progress, write)
    for path in catalog.files("pipelines").values():
        _check_file(report, path, Pipeline, pipeline_faults)
    for path in catalog.files("tasks", board).values():
        _check_file(report, path, Task, task_faults)
    return report


def check_cards(
    cards: Iterable[Named[Card]], data: Path, progress: Progress = no_progress, write: bool = False
) -> DataFilesReport:
    """These cards alone, shipped or of the user's own, and their recordings below `data`; `write` as above.

    Recordings that are not at hand are a fault here: they were asked for.
    """
    report = DataFilesReport()
    for card in cards:
        faults = _card_faults(card)
        report.files.append(str(card.path))
        if faults:
            report.broken[str(card.path)] = faults
            continue
        _check_recordings(card, data, report, progress, write)
        if error := report.not_at_hand.pop(card.id, None):
            report.note_recordings(card.id, error)
    return report


def _card_faults(card: Named[Card]) -> list[str]:
    try:
        return card_faults(card)
    except EventbenchError as error:
        return [line_of(error, card.path)]


def _check_file(
    report: DataFilesReport, path: Path, kind: type[S], faults_of: Callable[[Named[S]], list[str]]
) -> bool:
    """Whether nothing is wrong with a data file."""
    try:
        faults = faults_of(Named(path.stem, path, load(path, kind)))
    except EventbenchError as error:
        faults = [line_of(error, path)]
    name = f"{path.parent.name}/{path.name}"
    report.files.append(name)
    if faults:
        report.broken[name] = faults
    return not faults


def _check_recordings(
    card: Named[Card], data: Path, report: DataFilesReport, progress: Progress, write: bool
) -> None:
    try:
        dataset = Dataset(card, data)
    except EventbenchError as error:  # pins that do not say what they must
        report.note_recordings(card.id, error)
        return
    try:
        samples = dataset.samples()
    except BadDataset as error:
        # Another dataset's folder is not this one gone wrong; a folder with this one's own name is, unless another has it too.
        if dataset.root == data or not any(dataset.root.iterdir()):
            report.not_at_hand[card.id] = error
        elif others := _other_files(dataset, data):
            report.not_at_hand[card.id] = others
        else:
            report.note_recordings(card.id, error)
        return
    report.at_hand.append(card.id)
    by_split = {split: [sample for sample in samples if sample.split == split] for split in card.spec.splits}
    pinned_by_card = card.spec.pins_content
    hashes = _check_files(dataset, by_split, report, progress, hash_all=write and not pinned_by_card)
    if not pinned_by_card and report.recordings_sound(card.id):
        _check_local_pins(dataset, by_split, hashes, report, write)


def _other_files(dataset: Dataset, data: Path) -> BadDataset | None:
    """Says so where a folder with the card's name holds no file of its kind but others, and which shipped cards read these."""
    if dataset.layout is None or not (others := other_files(dataset.layout, dataset.root)):
        return None
    readers = [name for name in catalog.files("datasets") if _reads(name, data, dataset.root)]
    cards = (
        f"card{'s' if len(readers) > 1 else ''} {some(readers, 3)} read{'' if len(readers) > 1 else 's'} such"
    )
    return BadDataset(
        f"the folder holds other files ({others})" + (f"; {cards}" if readers else ""),
        where=f"{dataset.id} at {dataset.root}",
        fix=f"to obtain it: {dataset.card.obtain.how}",
    )


def _reads(name: str, data: Path, root: Path) -> bool:
    """Whether a shipped card has recordings in this folder."""
    try:
        other = Dataset(catalog.card(name), data)
        return other.layout is not None and other.root == root and bool(other.listed())
    except EventbenchError:
        return False


def _check_files(
    dataset: Dataset,
    by_split: dict[str, list[Sample]],
    report: DataFilesReport,
    progress: Progress,
    *,
    hash_all: bool,
) -> dict[str, dict[str, str]]:
    """By split the sha256 of each sample's file, by id: of the splits whose files are pinned, or of all."""
    digests: dict[Path, str] = {}  # many samples may be parts of one file

    def file_digest(sample: Sample) -> str:
        path = Path(sample.recording)
        if path not in digests:
            digests[path] = digest.of_file(path)
        return digests[path]

    hashes: dict[str, dict[str, str]] = {}
    for split, samples in by_split.items():
        if not (dataset.card.splits[split].files or dataset.pins or hash_all):
            continue
        shown = progress(samples, of=f"{dataset.id} {split}", unit="file", total=len(samples))
        try:
            hashes[split] = {sample.id: file_digest(sample) for sample in shown}
            dataset.check_files(split, hashes[split])
        except (BadDataset, OSError) as error:
            report.note_recordings(dataset.id, error)
    return hashes


def _check_local_pins(
    dataset: Dataset,
    by_split: dict[str, list[Sample]],
    hashes: dict[str, dict[str, str]],
    report: DataFilesReport,
    write: bool,
) -> None:
    """Say whether recordings that their card does not pin are pinned on this machine; with `write`, pin them."""
    if dataset.pins is None:
        if not write:
            report.not_pinned.append(dataset.id)
            if not dataset.card.pins_samples:
                report.counts_open.append(dataset.id)
            return
        pins = {split: dataset.pins_of(samples, hashes[split]) for split, samples in by_split.items()}
        try:
            write_pins(dataset.pins_file, Pins(splits=pins))
        except OSError as error:
            fault = BadDataset(f"cannot be written: {error.strerror}", where=dataset.pins_file)
            report.note_recordings(dataset.id, fault)
            return
        report.now_pinned.append(dataset.id)
    report.pinned_here[dataset.id] = str(dataset.pins_file)
