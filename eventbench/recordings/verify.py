"""Do the shipped cards, pipelines and tasks hold together, and are the recordings at hand those the cards pin?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from eventbench import digest
from eventbench.errors import BadDataset, EventbenchError
from eventbench.recordings.checks import card_faults, pipeline_faults, task_faults
from eventbench.recordings.dataset import Dataset
from eventbench.specs import catalog
from eventbench.specs.base import load
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.pins import Pins, write_pins
from eventbench.specs.pipeline import Pipeline
from eventbench.specs.task import Task

Progress = Callable[[Any], Any]


class Checked(NamedTuple):
    """What was found: `files` checked, faults by file name, datasets whose recordings were checked, and those not at hand.

    `pinned_here` are those of the datasets at hand whose recordings no card but a file on this machine pins, with that
    file; `now_pinned` those whose file was written by this check; `not_pinned` those of which only counts are known.
    """

    files: list[str]
    broken: dict[str, list[str]]
    at_hand: list[str]
    not_at_hand: dict[str, str]
    pinned_here: dict[str, str]
    now_pinned: list[str]
    not_pinned: list[str]


def check_data_files(
    data: Path, board: Path, progress: Progress = lambda samples: samples, write: bool = False
) -> Checked:
    """Every shipped card, pipeline and task (and the board's tasks); recordings below `data`, where they are there.

    `progress` wraps the list of samples whose files are read, as tqdm does. With `write`, recordings that neither their
    card nor an earlier run pins are pinned as they are now.
    """
    checked = Checked([], {}, [], {}, {}, [], [])

    def note(path: Path, faults: list[str]) -> bool:
        name = f"{path.parent.name}/{path.name}"
        checked.files.append(name)
        if faults:
            checked.broken[name] = faults
        return not faults

    for path in catalog.files("datasets").values():
        if note(path, _loaded(path, Card, card_faults)):
            _check_recordings(Named(path.stem, path, load(path, Card)), data, checked, progress, write)
    for path in catalog.files("pipelines").values():
        note(path, _loaded(path, Pipeline, pipeline_faults))
    for path in catalog.files("tasks", board).values():
        note(path, _loaded(path, Task, task_faults))
    return checked


def _loaded(path: Path, kind: Any, faults: Callable[[Named[Any]], list[str]]) -> list[str]:
    try:
        return faults(Named(path.stem, path, load(path, kind)))
    except EventbenchError as error:
        return [str(error).removeprefix(f"{path.name}: ")]


def _check_recordings(
    card: Named[Card], data: Path, checked: Checked, progress: Progress, write: bool
) -> None:
    def broken(error: Exception) -> None:
        checked.broken.setdefault(f"recordings of {card.id}", []).append(str(error))

    try:
        dataset = Dataset(card, data)
    except EventbenchError as error:  # pins that do not say what they must
        return broken(error)
    try:
        samples = dataset.samples()
    except BadDataset as error:
        # Another dataset's folder is not this one gone wrong; a folder with this one's own name is.
        if dataset.root != data and any(dataset.root.iterdir()):
            broken(error)
        else:
            checked.not_at_hand[card.id] = str(error)
        return
    checked.at_hand.append(card.id)
    unpinned = dataset.layout is not None and any(
        not (pin.ids and pin.files) for pin in card.spec.splits.values()
    )
    by_split = {split: [one for one in samples if one.split == split] for split in card.spec.splits}
    digests: dict[Path, str] = {}  # many samples may be parts of one file
    hashes: dict[str, dict[str, str]] = {}
    for split, pin in card.spec.splits.items():
        if not (pin.files or dataset.pins or (write and unpinned)):
            continue
        try:
            hashes[split] = {
                one.id: _digest(Path(one.recording), digests) for one in progress(by_split[split])
            }
            dataset.check_files(split, hashes[split])
        except (BadDataset, OSError) as error:
            broken(error)
    if not unpinned or f"recordings of {card.id}" in checked.broken:
        return
    if dataset.pins is None and not write:
        checked.not_pinned.append(card.id)
        return
    if dataset.pins is None:
        pinned = {split: dataset.pinned(found, hashes[split]) for split, found in by_split.items()}
        try:
            write_pins(dataset.pins_file, Pins(splits=pinned))
        except OSError as error:
            return broken(BadDataset(f"cannot be written: {error.strerror}", where=dataset.pins_file))
        checked.now_pinned.append(card.id)
    checked.pinned_here[card.id] = str(dataset.pins_file)


def _digest(path: Path, known: dict[Path, str]) -> str:
    if path not in known:
        known[path] = digest.of_file(path)
    return known[path]
