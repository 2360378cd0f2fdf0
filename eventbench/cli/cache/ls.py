"""eventbench cache ls: every store, what it holds, its size, its state."""

from __future__ import annotations

import click

from eventbench.cli import _options
from eventbench.cli.cache._report import (
    WITHOUT_SAMPLES,
    cache_and_expected,
    item_json,
    own_card_and_pipeline,
    samples_text,
    short,
    state_text,
)


@click.command(name="ls")
@own_card_and_pipeline
@_options.cache_dir
@_options.as_json
def command(cards: tuple[str, ...], pipelines: tuple[str, ...], cache_dir: str | None, as_json: bool) -> None:
    """List every store: what it holds, its size, its state."""
    from eventbench.recordings.kept_indexes import kept_indexes
    from eventbench.store.inventory import cache_items, open_item
    from eventbench.store.paths import LOCK

    cache, expected = cache_and_expected(cache_dir, cards, pipelines)
    stores = [item_json(open_item(item), expected) for item in cache_items(cache) if item.kind != LOCK]
    indexes = kept_indexes(cache)
    if as_json:
        kept = [{**index._asdict(), "path": str(index.path)} for index in indexes]
        _options.print_json({"cache": str(cache), "stores": stores, "indexes": kept})
        return
    _options.say(f"{cache}: {len(stores):,} stores, {_options.size(sum(store['bytes'] for store in stores))}")
    for store in stores:
        samples = f"{samples_text(store)}, " if store["state"] not in WITHOUT_SAMPLES else ""
        _options.say(
            f"  {short(store['path'], cache)}: {samples}{_options.size(store['bytes'])}, {state_text(store)}"
        )
    if indexes:
        useless = sum(bool(index.useless) for index in indexes)
        of_no_use = f", {useless:,} of no use any more" if useless else ""
        total = _options.size(sum(index.bytes for index in indexes))
        _options.say(
            f"  {indexes[0].path.parent.name}: {len(indexes):,} of long recordings, {total}{of_no_use}"
        )
