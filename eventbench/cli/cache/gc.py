"""eventbench cache gc: what is of no use, removed."""

from __future__ import annotations

import click

from eventbench.cli import _options
from eventbench.cli.cache._report import cache_and_expected, own_card_and_pipeline, short


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
    """Remove what is of no use: drafts, unfinished files, stray locks, stale stores, and indexes of recordings.

    A store is stale when its card, its pipeline or the code has changed since it was made. One that is being written is
    left, and so are stores of cards and pipelines of your own, unless --own. An index of a long recording goes when that
    has changed or is gone.
    """
    from eventbench.recordings.kept_indexes import kept_indexes, remove_indexes
    from eventbench.store.garbage import collect_garbage, find_garbage

    cache, expected = cache_and_expected(cache_dir, cards, pipelines)
    garbage = collect_garbage(find_garbage(cache, expected, own=own), dry_run=dry_run)
    removed, left = [entry for entry in garbage if not entry.left], [entry for entry in garbage if entry.left]
    indexes = [kept for kept in kept_indexes(cache) if kept.useless]
    if not dry_run:
        remove_indexes(indexes)
    gone = [(entry.item.path, entry.why, entry.bytes) for entry in removed]
    gone += [(kept.path, kept.useless, kept.bytes) for kept in indexes]
    freed = sum(count for _, _, count in gone)
    if as_json:
        _options.print_json(
            {
                "cache": str(cache),
                "dry_run": dry_run,
                "removed": [{"path": str(path), "why": why, "bytes": count} for path, why, count in gone],
                "left": [str(entry.item.path) for entry in left],
                "bytes": freed,
            }
        )
        return
    verb = "would remove" if dry_run else "removed"
    for path, why, count in gone:
        _options.say(f"{verb} {short(str(path), cache)}: {why} ({_options.size(count)})")
    for entry in left:
        _options.say(f"left {short(str(entry.item.path), cache)}: it is being written")
    _options.say(f"{cache}: {len(gone):,} {'to remove' if dry_run else 'removed'}, {_options.size(freed)}")
