"""Do the shipped cards, pipelines and tasks hold together, and are the recordings at hand those the cards pin?"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from eventbench import catalog, digest, registry
from eventbench.catalog import Named
from eventbench.dataset import Dataset
from eventbench.errors import BadDataset, BadSpec, EventbenchError
from eventbench.specs.base import load
from eventbench.specs.card import Card, Split
from eventbench.specs.pins import Pins, write_pins
from eventbench.specs.pipeline import Pipeline
from eventbench.specs.task import Task

Progress = Callable[[Any], Any]
HASHES = {"md5": 32, "sha256": 64}


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


def card_faults(card: Named[Card]) -> list[str]:
    """What is wrong with a card, without its recordings. Raises UnknownName or BadSpec for a bad member."""
    registry.sources.build(card.spec.source, where=card.path.name)
    if card.spec.layout is not None:
        registry.layouts.build(card.spec.layout, where=card.path.name)
    hashes = _companion(card.path.with_suffix(".sha256"))
    stated = [(file, kind, getattr(file, kind)) for file in card.spec.obtain.files for kind in HASHES]
    found = [
        f"{file.name}: its {kind} is {value!r}, no {HASHES[kind]} small hexadecimal digits"
        for file, kind, value in stated
        if value and not re.fullmatch(f"[0-9a-f]{{{HASHES[kind]}}}", value)
    ]
    return found + [
        fault for name, pin in card.spec.splits.items() for fault in _pin_faults(card, name, pin, hashes)
    ]


def _pin_faults(card: Named[Card], name: str, pin: Split, hashes: dict[str, str] | None) -> list[str]:
    """Whether what is pinned about a split agrees with itself: counts, the ids' form, ids and hashes beside the card."""
    found, classes = [], len(card.spec.classes)
    if pin.per_class and (len(pin.per_class), sum(pin.per_class)) != (classes, pin.samples):
        found.append(
            f"split {name!r}: per_class is {len(pin.per_class)} counts with a sum of {sum(pin.per_class):,}, "
            f"the card has {classes} classes and {pin.samples:,} samples"
        )
    ids = {pin.numbered.format(k) for k in range(1, pin.samples + 1)} if pin.numbered else set()
    if ids and pin.ids and digest.of_lines(ids) != pin.ids:
        found.append(f"split {name!r}: the ids that numbered gives are not those that ids pins")
    if hashes is None or not pin.files:
        return found
    beside = {id: sha for id, sha in hashes.items() if (id in ids if ids else id.startswith(f"{name}/"))}
    if len(beside) != pin.samples or (pin.ids and digest.of_lines(beside) != pin.ids):
        found.append(f"split {name!r}: {card.id}.sha256 has {len(beside):,} of its {pin.samples:,} samples")
    elif digest.of_lines(f"{id} {sha}" for id, sha in beside.items()) != pin.files:
        found.append(f"split {name!r}: the hashes in {card.id}.sha256 are not those that files pins")
    return found


def _companion(path: Path) -> dict[str, str] | None:
    """Id -> sha256 of the lines `<sha256>  <id>` beside a card; None where there is no such file."""
    if not path.is_file():
        return None
    hashes = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        sha, _, name = line.partition("  ")
        if len(sha) != 64 or not name:
            raise BadSpec(f"line {number} is {line[:80]!r}", where=path.name, allowed="<sha256>  <id>")
        hashes[name] = sha
    return hashes


def pipeline_faults(pipeline: Named[Pipeline]) -> list[str]:
    """Raises UnknownName or BadSpec where a step or the representation cannot be built."""
    for step in pipeline.spec.steps:
        registry.steps.build(step, where=pipeline.path.name)
    registry.representations.build(pipeline.spec.representation, where=pipeline.path.name)
    return []


def task_faults(task: Named[Task]) -> list[str]:
    """What a task names that is not there."""
    rules, found = task.spec, []
    splits: set[str] = set()
    try:
        splits = set(catalog.card(rules.dataset).spec.splits)
    except EventbenchError as error:
        found.append(f"its dataset: {error}")
    try:
        catalog.pipeline(rules.pipeline)
    except EventbenchError as error:
        found.append(f"its pipeline: {error}")
    for name in rules.metrics:
        try:
            registry.metrics.get(name, where=task.path.name)()
        except EventbenchError as error:
            found.append(str(error).removeprefix(f"{task.path.name}: "))
    if rules.rank_by.partition(".")[0] not in rules.metrics:
        found.append(f"it ranks by {rules.rank_by!r}, which is none of its metrics")
    named = [rules.train, rules.test, *([rules.validation.split] if rules.validation.split else [])]
    found += [f"the dataset has no split {name!r}" for name in named if splits and name not in splits]
    if bool(rules.validation.split) == bool(rules.validation.carve):
        found.append("[validation] must have either split or carve")
    return found


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
