"""eventbench cache: the stores on disk."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eventbench.cli import _options
from eventbench.cli._diff import diff
from eventbench.cli._shelf import WITHOUT_SAMPLES, shelf, short, size, state_of, told_of

if TYPE_CHECKING:
    from eventbench.store.rules import Rules


def _own(function: Callable[..., None]) -> Callable[..., None]:
    """Cards and pipelines of the user's own count beside the shipped ones."""
    card = click.option(
        "--card", "cards", multiple=True, metavar="CARD", help="A card of your own, a TOML file."
    )
    pipeline = click.option(
        "--pipeline", "pipelines", multiple=True, metavar="P", help="A pipeline of your own, a TOML file."
    )
    return card(pipeline(function))


@click.group(name="cache", short_help="The stores on disk.", no_args_is_help=False)
def command() -> None:
    """See, check, mend and clear the stores that eventbench preprocess made.

    They lie in the folder that --cache-dir or EVENTBENCH_CACHE names.
    """


@command.command(name="ls")
@_own
@_options.cache_dir
@_options.as_json
def ls(cards: tuple[str, ...], pipelines: tuple[str, ...], cache_dir: str | None, as_json: bool) -> None:
    """List every store: what it holds, its size, its state."""
    from eventbench.store.shelf import LOCK, find, look

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


@command.command(name="verify")
@_own
@_options.cache_dir
@_options.as_json
def verify(cards: tuple[str, ...], pipelines: tuple[str, ...], cache_dir: str | None, as_json: bool) -> None:
    """Read every store and hold each sample against its checksum.

    Exit status 1: a store is broken; its damaged samples are named.
    """
    cache, rules = shelf(cache_dir, cards, pipelines)
    told, lines = stores_verified(cache, rules)
    if as_json:
        _options.print_json({"cache": str(cache), **told})
    else:
        for line in lines:
            _options.say(line)
    if told["broken"]:
        sys.exit(1)


@command.command(name="repair")
@_own
@_options.workers
@_options.data_dir
@_options.cache_dir
@_options.as_json
def repair(
    cards: tuple[str, ...],
    pipelines: tuple[str, ...],
    workers: int | None,
    data_dir: str | None,
    cache_dir: str | None,
    as_json: bool,
) -> None:
    """Make every broken store again: events from the raw recordings, frames from the events.

    A broken store stays until the new one is complete. Exit status 1: a store could not be made again.
    """
    from eventbench import home
    from eventbench.errors import EventbenchError
    from eventbench.mend import examine_all
    from eventbench.mend import repair as mend

    cache, rules = shelf(cache_dir, cards, pipelines)
    data = home.places(data=data_dir).data
    healths = examine_all(cache, rules)
    broken = sorted((one for one in healths if one.faults), key=lambda one: one.item.layout != "events")
    repaired: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    spoilt: set[str] = set()  # datasets whose events are still broken: frames must not be made of them
    for health in broken:
        path = str(health.item.path)
        try:
            if health.item.layout == "frames" and health.item.dataset in spoilt:
                raise EventbenchError(f"{path}: the store of events it is made from is broken")
            fine = mend(health, rules, data, cache, workers=workers or _options.cores(), progress=True)
            repaired.append({"path": path, "samples": fine.samples, "faults": list(health.faults)})
        except EventbenchError as error:
            failed[path] = str(error)
            if health.item.layout == "events":
                spoilt.add(health.item.dataset)
    if as_json:
        _options.print_json({"cache": str(cache), "repaired": repaired, "failed": failed})
    else:
        counts = f"{len(healths):,} checked, {len(repaired):,} repaired, {len(failed):,} not repaired"
        _options.say(f"stores: {counts}")
        for one in repaired:
            _options.say(
                f"  repaired: {one['path']}: {one['samples']:,} samples (was: {'; '.join(one['faults'])})"
            )
        for reason in failed.values():
            _options.say(f"  not repaired: {reason}")
    if failed:
        sys.exit(1)


@command.command(name="gc")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--own", is_flag=True, help="Also remove stores of cards and pipelines that are not shipped.")
@_own
@_options.cache_dir
@_options.as_json
def collect(
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
    from eventbench.store.sweep import rubbish, sweep

    cache, rules = shelf(cache_dir, cards, pipelines)
    found = sweep(rubbish(cache, rules, own=own), dry_run=dry_run)
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


@command.command(name="explain")
@click.argument("dataset")
@click.option("--pipeline", metavar="P", help="The frames of this pipeline; else the events.")
@_options.cache_dir
@_options.as_json
def explain(dataset: str, pipeline: str | None, cache_dir: str | None, as_json: bool) -> None:
    """Say what DATASET's store is made from now, whether it is there, and how each other store of it differs."""
    from eventbench import catalog, digest
    from eventbench.store.key import path_of
    from eventbench.store.shelf import LOCK, find, look

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


command.add_command(diff)


def stores_verified(cache: Path, rules: Rules) -> tuple[dict[str, Any], list[str]]:
    """What verify says of the stores, as JSON and as lines."""
    from eventbench.mend import examine_all

    healths = examine_all(cache, rules)
    broken = {str(one.item.path): list(one.faults) for one in healths if one.faults}
    skipped = {str(one.item.path): one.not_checked for one in healths if one.not_checked}
    told = {
        "checked": len(healths) - len(skipped),
        "broken": broken,
        "damaged": {str(one.item.path): list(one.damaged) for one in healths if one.damaged},
        "not_checked": skipped,
    }
    lines = [f"stores: {told['checked']:,} checked, {len(broken):,} broken"]
    lines += [f"  broken: {path}: {fault}" for path, faults in broken.items() for fault in faults]
    lines += [f"  not checked: {path}: {reason}" for path, reason in skipped.items()]
    if broken:
        lines.append("  eventbench cache repair makes broken stores again")
    return told, lines
