"""Listings of data files, members of families, records and stores, for ls and show. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eventbench import registry
from eventbench.cli import _options
from eventbench.errors import EventbenchError
from eventbench.home import Places
from eventbench.specs import catalog

FAMILIES: dict[str, registry.Family[Any]] = {
    family.folder: family
    for family in (
        registry.sources,
        registry.writers,
        registry.layouts,
        registry.steps,
        registry.representations,
        registry.augmentations,
        registry.models,
        registry.metrics,
        registry.task_kinds,
    )
}
KINDS = ("datasets", "pipelines", *FAMILIES, "tasks", "records", "stores")
DATA_FILES: dict[str, Callable[..., catalog.Named[Any]]] = {
    "datasets": catalog.card,
    "pipelines": catalog.pipeline,
    "tasks": catalog.task,
}


def listing(kind: str, places: Places) -> list[dict[str, Any]]:
    """A table {"name", "summary", "path", ...} for each item of a kind, sorted by name."""
    if kind in FAMILIES:
        family = FAMILIES[kind]
        paths = {name: family.path(name) for name in family.names()}
        return [
            {"name": name, "summary": family.summary(name), "path": str(path) if path else None}
            for name, path in paths.items()
        ]
    if kind in DATA_FILES:
        return [_data_file(kind, name, places) for name in names(kind, places)]
    return _records(places) if kind == "records" else _stores(places)


def names(kind: str, places: Places) -> list[str]:
    """The names of a family's members or of the data files of a kind, sorted; tasks include those of the board."""
    if kind in FAMILIES:
        return FAMILIES[kind].names()
    return list(catalog.files(kind, places.board if kind == "tasks" else None))


def load(kind: str, name: str, places: Places) -> catalog.Named[Any]:
    """A card, pipeline or task. Raises UnknownName or BadSpec."""
    return catalog.task(name, places.board) if kind == "tasks" else DATA_FILES[kind](name)


def _data_file(kind: str, name: str, places: Places) -> dict[str, Any]:
    path = catalog.files(kind, places.board if kind == "tasks" else None)[name]
    try:
        spec = load(kind, name, places).spec
    except EventbenchError as error:
        return {"name": name, "summary": f"cannot be read: {error}", "path": str(path)}
    return {"name": name, "summary": _summary(kind, spec), "path": str(path), "digest": spec.digest}


def _summary(kind: str, spec: Any) -> str:
    if kind == "datasets":
        splits = ", ".join(f"{split.count} {name}" for name, split in spec.splits.items())
        width, height = spec.sensor
        facts = f"{width}x{height}, {len(spec.classes)} classes, {splits}"
    elif kind == "pipelines":
        steps = [str(table.get("name")) for table in (*spec.steps, spec.representation)]
        facts = " then ".join(steps)
    else:
        facts = f"{spec.dataset} through {spec.pipeline}, ranked by {spec.ranked_by}"
    return f"{spec.about.title}: {facts}" if spec.about.title else facts


def _records(places: Places) -> list[dict[str, Any]]:
    from eventbench.leaderboard.figures import Writer
    from eventbench.leaderboard.records import read_records

    board = read_records(places.board)
    rows: list[dict[str, Any]] = []
    for entry in board.entries:
        record = entry.record
        main = entry.kind.main_figure
        scores = [run.scores[main].value for run in record.runs if main in run.scores]
        mean = sum(scores) / len(scores) if scores else None
        figure = f"{main} {Writer(entry.kind).with_unit(mean, main)}" if mean is not None else f"no {main}"
        runs = f"{len(record.runs)} {'run' if len(record.runs) == 1 else 'runs'}"
        withdrawn = f", withdrawn: {entry.withdrawn}" if entry.withdrawn else ""
        summary = f"{figure}, {runs}, {record.status}{withdrawn}"
        rows.append({"name": entry.id, "summary": summary, "path": str(entry.path), main: mean})
    rows += [{"name": item.id, "summary": f"broken: {item.reason}", "path": None} for item in board.broken]
    return sorted(rows, key=lambda row: str(row["name"]))


def _stores(places: Places) -> list[dict[str, Any]]:
    from eventbench.store.inventory import cache_items
    from eventbench.store.paths import LOCK, STORE

    rows = []
    for item in cache_items(places.cache):
        if item.kind == LOCK:
            continue
        content = "events" if item.layout == "events" else f"frames through {item.made_as}"
        state = "" if item.kind == STORE else f", {item.kind}"
        size = item.bytes
        name = item.path.relative_to(places.cache).as_posix()
        summary = f"{item.dataset} as {content}{state}, {_options.size(size)}"
        rows.append({"name": name, "summary": summary, "path": str(item.path), "bytes": size})
    return rows
