"""Whether the shipped cards, pipelines and tasks hold together: what they name is there, what they pin agrees."""

from __future__ import annotations

import re
from pathlib import Path

from eventbench import registry
from eventbench.errors import BadSpec, EventbenchError, UnknownName
from eventbench.specs import catalog
from eventbench.specs.card import Card, SplitPins
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.specs.task import Task

HASH_DIGITS = {"md5": 32, "sha256": 64}


def line_of(error: EventbenchError, path: Path) -> str:
    """The line of an error in a report that names the file at `path` itself."""
    return error.unlocated if str(error.where) == path.name else str(error)


def card_faults(card: Named[Card]) -> list[str]:
    """What is wrong with a card, without its recordings. Raises UnknownName or BadSpec for a bad member."""
    registry.sources.build(card.spec.source, where=card.path.name)
    if card.spec.layout is not None:
        registry.layouts.build(card.spec.layout, where=card.path.name)
    faults = [
        f"{archive.name}: its {kind} is {value!r}, no {digits} small hexadecimal digits"
        for archive in card.spec.obtain.files
        for kind, digits in HASH_DIGITS.items()
        if (value := getattr(archive, kind)) and not re.fullmatch(f"[0-9a-f]{{{digits}}}", value)
    ]
    listed = _listed_hashes(card.path.with_suffix(".sha256"))
    for split in card.spec.splits:
        faults += _split_faults(card, split)
        if listed is not None:
            faults += _listed_faults(card, split, listed)
    return faults


def _split_faults(card: Named[Card], split: str) -> list[str]:
    """Whether what is pinned about a split agrees with itself."""
    faults, classes, pins = [], len(card.spec.classes), card.spec.splits[split]
    samples = sum(pins.per_class) if pins.samples is None else pins.samples
    if pins.per_class and (len(pins.per_class), sum(pins.per_class)) != (classes, samples):
        faults.append(
            f"split {split!r}: per_class is {len(pins.per_class)} counts with a sum of {sum(pins.per_class):,}, "
            f"the card has {classes} classes and {samples:,} samples"
        )
    if pins.numbered and "ids" in pins.disagreements(SplitPins.of(pins.numbered_ids)):
        faults.append(f"split {split!r}: the ids that numbered gives are not those that ids pins")
    return faults


def _listed_faults(card: Named[Card], split: str, listed: dict[str, str]) -> list[str]:
    """Whether the file of hashes beside a card has those of the samples that are pinned."""
    pins = card.spec.splits[split]
    if not pins.files:
        return []
    ids = pins.numbered_ids
    hashes = {
        id: sha256
        for id, sha256 in listed.items()
        if (id in ids if pins.numbered else id.startswith(f"{split}/"))
    }
    actual = SplitPins.of(hashes, hashes=hashes)
    differ = pins.disagreements(actual)
    if "samples" in differ or "ids" in differ:
        return [f"split {split!r}: {card.id}.sha256 has {actual.count} of its {pins.count} samples"]
    if "files" in differ:
        return [f"split {split!r}: the hashes in {card.id}.sha256 are not those that files pins"]
    return []


def _listed_hashes(path: Path) -> dict[str, str] | None:
    """Id -> sha256 of the lines `<sha256>  <id>` beside a card; None where there is no such file."""
    if not path.is_file():
        return None
    hashes = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        sha256, _, name = line.partition("  ")
        if len(sha256) != 64 or not name:
            raise BadSpec(f"line {number} is {line[:80]!r}", where=path.name, allowed="<sha256>  <id>")
        hashes[name] = sha256
    return hashes


def pipeline_faults(pipeline: Named[Pipeline]) -> list[str]:
    """Raises UnknownName or BadSpec where a step or the representation cannot be built."""
    for step in pipeline.spec.steps:
        registry.steps.build(step, where=pipeline.path.name)
    registry.representations.build(pipeline.spec.representation, where=pipeline.path.name)
    return []


def task_faults(task: Named[Task]) -> list[str]:
    """What a task names that is not there."""
    spec = task.spec
    faults: list[str] = []
    splits: set[str] = set()
    try:
        splits = set(catalog.card(spec.dataset, beside=task.path).spec.splits)
    except EventbenchError as error:
        faults.append(f"its dataset: {error}")
    try:
        catalog.pipeline(spec.pipeline, beside=task.path)
    except EventbenchError as error:
        faults.append(f"its pipeline: {error}")
    for name in spec.metrics:
        try:
            registry.metrics.get(name, where=task.path.name)()
        except EventbenchError as error:
            faults.append(line_of(error, task.path))
    try:
        registry.task_kinds.get(spec.kind)
    except UnknownName as error:
        faults.append(str(error))
    else:
        faults += [
            f"it demands {name!r}, which is none of its metrics"
            for name in spec.demands
            if name not in spec.metrics
        ]
        if spec.ranked_by.partition(".")[0] not in spec.metrics:
            faults.append(f"it ranks by {spec.ranked_by!r}, which is none of its metrics")
    named = [spec.train, spec.test, *([spec.validation.split] if spec.validation.split else [])]
    faults += [f"the dataset has no split {name!r}" for name in named if splits and name not in splits]
    if spec.validation.contradiction:
        faults.append(spec.validation.contradiction)
    return faults
