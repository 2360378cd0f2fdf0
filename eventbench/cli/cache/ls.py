"""eventbench cache ls: every store, what it holds, its size, its state."""

from __future__ import annotations

import click

from eventbench.cli import _options
from eventbench.cli.cache._report import (
    WITHOUT_SAMPLES,
    own_card_and_pipeline,
    shelf,
    short,
    size,
    state_of,
    told_of,
)


@click.command(name="ls")
@own_card_and_pipeline
@_options.cache_dir
@_options.as_json
def command(cards: tuple[str, ...], pipelines: tuple[str, ...], cache_dir: str | None, as_json: bool) -> None:
    """List every store: what it holds, its size, its state."""
    from eventbench.store.inventory import LOCK, find, look

    cache, rules = shelf(cache_dir, cards, pipelines)
    told = [told_of(look(item), rules) for item in find(cache) if item.kind != LOCK]
    if as_json:
        _options.print_json({"cache": str(cache), "stores": told})
        return
    _options.say(f"{cache}: {len(told):,} stores, {size(sum(one['bytes'] for one in told))}")
    for one in told:
        why = f": {one['why']}" if one["why"] else ""
        samples = f"{one['samples']:,} samples, " if one["state"] not in WITHOUT_SAMPLES else ""
        _options.say(f"  {short(one['path'], cache)}: {samples}{size(one['bytes'])}, {state_of(one)}{why}")
