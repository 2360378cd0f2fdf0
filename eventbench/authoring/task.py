"""A task from a card: sensible rules of a board, and a pipeline beside it where no shipped one fits the sensor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from eventbench.errors import BadSpec
from eventbench.specs import catalog
from eventbench.specs.card import Card

LARGEST_SIDE = 64  # pixels of a frame that a first network trains on in minutes
METRICS = ["accuracy", "parameters", "firing_rate", "synaptic_operations", "latency", "peak_memory"]


class WrittenTask(NamedTuple):
    """A task that was written, and the files of it: the task's own, and maybe a pipeline's."""

    path: Path
    files: list[Path]


def new_task(dataset: str, out: Path | None = None, pipeline: str = "") -> WrittenTask:
    """Write a task for a card (its name, or the path of a TOML file), beside the card or at `out`.

    Without a `pipeline`, frames of 16 equal times, of a sensor made so small that a side is at most LARGEST_SIDE. Raises
    BadSpec where the file is there already, or the card has no two splits.
    """
    card = catalog.card(dataset)
    own = dataset.endswith(".toml")
    path = out or (card.path.parent if own else Path()) / f"{card.id}-v1.toml"
    if path.exists():
        raise BadSpec("it is there already", where=path, fix="name another file with --out")
    splits = list(card.spec.splits)
    test = next((split for split in ("test", "validation") if split in splits), splits[-1])
    train = next((split for split in ("train", *splits) if split in splits and split != test), "")
    if not train:
        raise BadSpec(
            "it has one split",
            where=card.path,
            allowed="one to train on and one to test on",
            fix="add a split",
        )
    files = [path]
    if not pipeline:
        pipeline, more = _pipeline_of(card.spec, path)
        files += more
    elif pipeline.endswith(".toml"):
        catalog.pipeline(pipeline, beside=path)
    named = dataset
    if own:
        named = _relative(card.path, path.parent)
    rules = [
        f"# The board of {card.id}.",
        f"dataset = {json.dumps(named)}",
        f"pipeline = {json.dumps(pipeline)}",
    ]
    rules += [f"metrics = {json.dumps(METRICS)}", "seeds = [0, 1, 2]"]
    rules += [f"train = {json.dumps(train)}"] if train != "train" else []
    rules += [f"test = {json.dumps(test)}"] if test != "test" else []
    rules += ["", "[validation]", *_validation(card.spec, splits, test)]
    rules += ["", "[about]", f"title = {json.dumps(card.spec.about.title or card.id)}", ""]
    path.write_text("\n".join(rules), encoding="utf-8")
    return WrittenTask(path, files)


def _validation(card: Card, splits: list[str], test: str) -> list[str]:
    """The rules of the samples that choose a checkpoint: a split of the card's own, else a part of training."""
    if "validation" in splits and test != "validation":
        return ['split = "validation"']
    layout = card.layout or {}
    if layout.get("name") == "fixed_windows":  # by class, windows of one recording would be on both sides
        return ["carve = 0.2", 'by = "subject"']
    patterns = [layout.get("pattern", ""), *layout.get("patterns", {}).values()]
    by_subject = bool(layout.get("subject")) or any("{subject}" in pattern for pattern in patterns)
    by_subject |= "subject" in layout.get("columns", {})
    return ["carve = 0.2", f'by = "{"subject" if by_subject else "class"}"']


def _pipeline_of(card: Card, task: Path) -> tuple[str, list[Path]]:
    """A pipeline for the card's sensor: a shipped one, or one written beside the task."""
    factor = -(-max(card.sensor) // LARGEST_SIDE)
    if factor <= 2:
        return ("frames_t16-v1" if factor == 1 else "frames_t16_half-v1"), []
    path = task.with_name(f"frames_t16_by{factor}-v1.toml")
    if not path.exists():
        path.write_text(
            f"# 16 frames by time; {factor} x {factor} pixels become one, no event dropped.\n"
            f'steps = [{{ name = "downsample", factor = {factor} }}]\n'
            'representation = { name = "frames", bins = 16, split_by = "time", dtype = "uint8", overflow = "saturate" }\n',
            encoding="utf-8",
        )
    return path.name, [path]


def _relative(path: Path, folder: Path) -> str:
    """The path as it is written in a file of `folder`: relative where it lies in it or below, else absolute."""
    path, folder = path.resolve(), folder.resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
