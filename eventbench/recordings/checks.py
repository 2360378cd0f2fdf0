"""Do the shipped cards, pipelines and tasks hold together?"""

from __future__ import annotations

import re
from pathlib import Path

from eventbench import digest, registry
from eventbench.errors import BadSpec, EventbenchError, UnknownName
from eventbench.specs import catalog
from eventbench.specs.card import Card, Split
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.specs.task import Task

HASHES = {"md5": 32, "sha256": 64}


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
    try:
        if rules.ranked_by.partition(".")[0] not in rules.metrics:
            found.append(f"it ranks by {rules.ranked_by!r}, which is none of its metrics")
    except UnknownName as error:
        found.append(str(error))
    named = [rules.train, rules.test, *([rules.validation.split] if rules.validation.split else [])]
    found += [f"the dataset has no split {name!r}" for name in named if splits and name not in splits]
    if bool(rules.validation.split) == bool(rules.validation.carve):
        found.append("[validation] must have either split or carve")
    return found
