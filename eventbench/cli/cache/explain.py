"""eventbench cache explain: what a store is made from now, and how others differ."""

from __future__ import annotations

import click

from eventbench.cli import _options
from eventbench.cli.cache._report import (
    shelf,
    short,
    size,
    state_of,
    told_of,
)


@click.command(name="explain")
@click.argument("dataset")
@click.option("--pipeline", metavar="P", help="The frames of this pipeline; else the events.")
@_options.cache_dir
@_options.as_json
def command(dataset: str, pipeline: str | None, cache_dir: str | None, as_json: bool) -> None:
    """Say what DATASET's store is made from now, whether it is there, and how each other store of it differs."""
    from eventbench import digest
    from eventbench.specs import catalog
    from eventbench.store.inventory import LOCK, find, look
    from eventbench.store.key import path_of

    card = catalog.card(dataset)
    way = catalog.pipeline(pipeline) if pipeline else None
    cache, rules = shelf(cache_dir, (dataset,), (pipeline,) if pipeline else ())
    path = path_of(cache, card, way)
    made = rules.present[path]
    told = [
        told_of(look(item), rules) for item in find(cache) if item.dataset == card.id and item.kind != LOCK
    ]
    here = next((one for one in told if one["path"] == str(path)), None)
    others = [one for one in told if one is not here]
    key = digest.of_value(made.key)
    if as_json:
        state = (
            {"state": here["state"], "samples": here["samples"]}
            if here
            else {"state": "absent", "samples": 0}
        )
        about = {"dataset": card.id, "pipeline": way.id if way else None, "store": str(path), **state}
        _options.print_json({**about, "key": key, "made_from": made.key, "others": others})
        return
    _options.say(f"{card.id} as {f'frames of {way.id}' if way else 'events'}")
    if here:
        why = f": {here['why']}" if here["why"] else ""
        _options.say(
            f"  store: {path}: {state_of(here)}{why}, {here['samples']:,} samples, {size(here['bytes'])}"
        )
    else:
        how = f"eventbench preprocess {dataset}{f' --pipeline {pipeline}' if pipeline else ''}"
        _options.say(f"  store: {path}: not there; {how} makes it")
    _options.say(f"  key: {key}")
    for field, value in made.key.items():
        _options.say(
            f"    {field}: {value if isinstance(value, str) else digest.canonical_json(value).decode()}"
        )
    _options.say(f"other stores of {card.id}: {len(others) or 'none'}")
    for one in others:
        why = f": {one['why']}" if one["why"] else ""
        _options.say(f"  {short(one['path'], cache)}: {state_of(one)}{why}")
