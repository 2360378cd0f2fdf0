"""eventbench cache explain: what a store is made from now, and how others differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eventbench.cli import _options
from eventbench.cli.cache._report import (
    WITHOUT_SAMPLES,
    cache_and_expected,
    item_json,
    samples_text,
    short,
    state_text,
)

if TYPE_CHECKING:
    from eventbench.store.expected import ExpectedStore
    from eventbench.store.left_out import LeftOut

SHOWN = 10  # samples left out, a line each


@click.command(name="explain")
@click.argument("dataset")
@click.option("--pipeline", metavar="P", help="The frames of this pipeline; else the events.")
@_options.cache_dir
@_options.as_json
def command(dataset: str, pipeline: str | None, cache_dir: str | None, as_json: bool) -> None:
    """Say what DATASET's store is made from now, whether it is there, and how each other store of it differs."""
    from eventbench.specs import catalog
    from eventbench.store.inventory import cache_items, open_item
    from eventbench.store.key import StoreKey
    from eventbench.store.paths import LOCK

    card = catalog.card(dataset)
    recipe = catalog.pipeline(pipeline) if pipeline else None
    cache, expected = cache_and_expected(cache_dir, (dataset,), (pipeline,) if pipeline else ())
    store = expected.by_path[StoreKey.of(cache, card, recipe).path]
    items = [
        item_json(open_item(item), expected)
        for item in cache_items(cache)
        if item.dataset == card.id and item.kind != LOCK
    ]
    present = next((item for item in items if item["path"] == str(store.key.path)), None)
    others = [item for item in items if item is not present]
    if as_json:
        _options.print_json(_document(store, present, others))
        return
    command_line = f"eventbench preprocess {dataset}{f' --pipeline {pipeline}' if pipeline else ''}"
    for line in _lines(store, present, others, command_line, cache):
        _options.say(line)


def _document(
    store: ExpectedStore, present: dict[str, Any] | None, others: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "dataset": store.card.id,
        "pipeline": store.pipeline.id if store.pipeline else None,
        "store": str(store.key.path),
        "state": present["state"] if present else "absent",
        "samples": present["samples"] if present else 0,
        "key": store.key.digest,
        "made_from": store.key.value,
        "raw_files": _raw_files(present),
        "left_out": {sample.id: sample.reason for sample in _left_out(present)},
        "others": others,
    }


def _lines(
    store: ExpectedStore,
    present: dict[str, Any] | None,
    others: list[dict[str, Any]],
    command_line: str,
    cache: Path,
) -> list[str]:
    from eventbench import digest

    lines = [f"{store.card.id} as {f'frames of {store.pipeline.id}' if store.pipeline else 'events'}"]
    if present:
        about = f"{samples_text(present)}, {_options.size(present['bytes'])}"
        lines.append(f"  store: {store.key.path}: {state_text(present)}, {about}")
    else:
        lines.append(f"  store: {store.key.path}: not there; {command_line} makes it")
    lines.append(f"  key: {store.key.digest}")
    for field, value in store.key.value.items():
        text = value if isinstance(value, str) else digest.canonical_json(value).decode()
        lines.append(f"    {field}: {text}")
    if raw := _raw_files(present):
        lines.append(f"  raw files: {raw['files']:,} of {raw['folder']}, with the digest {raw['digest']}")
    left_out = _left_out(present)
    lines += [f"  left out: {sample.id}: {sample.reason}" for sample in left_out[:SHOWN]]
    if len(left_out) > SHOWN:
        lines.append(f"  left out: {len(left_out) - SHOWN:,} more; --json tells all")
    lines.append(f"other stores of {store.card.id}: {len(others) or 'none'}")
    for item in others:
        without = f", {samples_text(item)}" if item["left_out"] else ""
        lines.append(f"  {short(item['path'], cache)}: {state_text(item)}{without}")
    return lines


def _left_out(present: dict[str, Any] | None) -> list[LeftOut]:
    """The samples that the store that is there was made without."""
    from eventbench.store.read import open_any

    return open_any(Path(present["path"])).left_out if present and present["left_out"] else []


def _raw_files(present: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the store that is there says of the files it was made from; None where it does not."""
    from eventbench.store.read import open_any

    if present is None or present["state"] in WITHOUT_SAMPLES:
        return None
    raw = open_any(Path(present["path"])).raw_files()
    return {"folder": raw.folder, "files": len(raw.files), "digest": raw.digest} if raw else None
