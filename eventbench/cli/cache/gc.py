"""eventbench cache gc: what is of no use, taken away."""

from __future__ import annotations

import click

from eventbench.cli import _options
from eventbench.cli.cache._report import (
    own_card_and_pipeline,
    shelf,
    short,
    size,
)


@click.command(name="gc")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--own", is_flag=True, help="Also remove stores of cards and pipelines that are not shipped.")
@own_card_and_pipeline
@_options.cache_dir
@_options.as_json
def command(
    dry_run: bool,
    own: bool,
    cards: tuple[str, ...],
    pipelines: tuple[str, ...],
    cache_dir: str | None,
    as_json: bool,
) -> None:
    """Remove what is of no use: drafts, unfinished files, stray locks, stores made by other rules than the present ones.

    A store that is being written is left, and so are stores of cards and pipelines of your own, unless --own.
    """
    from eventbench.store.garbage import collect_garbage, find_garbage

    cache, rules = shelf(cache_dir, cards, pipelines)
    found = collect_garbage(find_garbage(cache, rules, own=own), dry_run=dry_run)
    gone, left = [one for one in found if not one.left], [one for one in found if one.left]
    freed = sum(one.bytes for one in gone)
    if as_json:
        told = [{"path": str(one.item.path), "why": one.why, "bytes": one.bytes} for one in gone]
        busy = [str(one.item.path) for one in left]
        _options.print_json(
            {"cache": str(cache), "dry_run": dry_run, "removed": told, "left": busy, "bytes": freed}
        )
        return
    for one in gone:
        verb = "would remove" if dry_run else "removed"
        _options.say(f"{verb} {short(str(one.item.path), cache)}: {one.why} ({size(one.bytes)})")
    for one in left:
        _options.say(f"left {short(str(one.item.path), cache)}: it is being written")
    _options.say(f"{cache}: {len(gone):,} {'to remove' if dry_run else 'removed'}, {size(freed)}")
