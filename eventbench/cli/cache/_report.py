"""The words of eventbench cache: a store, its state and its size, in a line and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from eventbench.store.expected import ExpectedStores
    from eventbench.store.inventory import OpenedItem

WITHOUT_SAMPLES = ("draft", "unfinished", "layout unknown", "unreadable")


def shelf(
    cache_dir: str | None, cards: tuple[str, ...], pipelines: tuple[str, ...]
) -> tuple[Path, ExpectedStores]:
    from eventbench import home
    from eventbench.specs import catalog
    from eventbench.store.expected import expected_stores

    cache = home.places(cache=cache_dir).cache
    more: list[catalog.Named[Any]] = [*map(catalog.card, cards), *map(catalog.pipeline, pipelines)]
    return cache, expected_stores(cache, more)


def told_of(seen: OpenedItem, rules: ExpectedStores) -> dict[str, Any]:
    from eventbench.store.paths import being_written

    item = seen.item
    state, why = rules.classify_state(seen)
    made = rules.of(item)
    was, now = seen.made_from or {}, made.key if made else {}
    return {
        "path": str(item.path),
        "dataset": item.dataset,
        "layout": item.layout,
        "pipeline": None if item.layout == "events" else item.made_as,
        "samples": seen.samples,
        "of": sum(split.samples for split in made.card.spec.splits.values()) if made else None,
        "bytes": item.bytes,
        "state": state,
        "why": why,
        "differs": sorted(
            field for field in was.keys() | now.keys() if made and was and was.get(field) != now.get(field)
        ),
        "being_written": being_written(item.store),
    }


def state_of(one: dict[str, Any]) -> str:
    from eventbench.store.expected import STATES

    busy = ", being written now" if one["being_written"] else ""
    if one["state"] == "draft":
        of = f"{one['of']:,}" if one["of"] is not None else "an unknown number"
        return f"draft with {one['samples']:,} of {of} done{busy}"
    return STATES[one["state"]] + busy


def short(path: str, cache: Path) -> str:
    return path.removeprefix(f"{cache}/")


def size(count: float) -> str:
    """`9.1 MB`, `512 bytes`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,.0f} bytes"


def own_card_and_pipeline(function: Callable[..., None]) -> Callable[..., None]:
    """Cards and pipelines of the user's own count beside the shipped ones."""
    card = click.option(
        "--card", "cards", multiple=True, metavar="CARD", help="A card of your own, a TOML file."
    )
    pipeline = click.option(
        "--pipeline", "pipelines", multiple=True, metavar="P", help="A pipeline of your own, a TOML file."
    )
    return card(pipeline(function))


def stores_verified(cache: Path, rules: ExpectedStores) -> tuple[dict[str, Any], list[str]]:
    """What verify says of the stores, as JSON and as lines."""
    from eventbench.preprocess.repair import examine_all

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
