"""The words of eventbench cache: a store, its state and its size, in a line and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from eventbench.specs.card import Card
    from eventbench.store.expected import ExpectedStores
    from eventbench.store.inventory import OpenedItem

WITHOUT_SAMPLES = ("draft", "unfinished", "layout unknown", "unreadable")


def cache_and_expected(
    cache_dir: str | None, cards: tuple[str, ...], pipelines: tuple[str, ...]
) -> tuple[Path, ExpectedStores]:
    """The cache folder, and the stores that the shipped cards and pipelines and these of the user's own make."""
    from eventbench import home
    from eventbench.specs import catalog
    from eventbench.store.expected import expected_stores

    cache = home.places(cache=cache_dir).cache
    more: list[catalog.Named[Any]] = [*map(catalog.card, cards), *map(catalog.pipeline, pipelines)]
    return cache, expected_stores(cache, more)


def item_json(opened: OpenedItem, expected: ExpectedStores) -> dict[str, Any]:
    """One store or draft of the cache, as `ls --json` has it."""
    from eventbench.store.paths import being_written

    item = opened.item
    state, why = expected.classify_state(opened)
    known = expected.of(item)
    made_from, value = opened.made_from or {}, known.key.value if known else {}
    return {
        "path": str(item.path),
        "dataset": item.dataset,
        "layout": item.layout,
        "pipeline": None if item.layout == "events" else item.made_as,
        "samples": opened.samples,
        "left_out": opened.left_out,
        "of": _expected_samples(known.card.spec) if known else None,
        "bytes": item.bytes,
        "state": state,
        "why": why,
        "differs": sorted(
            field
            for field in made_from.keys() | value.keys()
            if known and made_from and made_from.get(field) != value.get(field)
        ),
        "being_written": being_written(item.store),
    }


def _expected_samples(card: Card) -> int | None:
    """How many samples a card pins; None where it leaves a count open."""
    counts = [split.samples for split in card.splits.values()]
    return None if None in counts else sum(count for count in counts if count)


def state_text(item: dict[str, Any]) -> str:
    """The state of an item of `item_json`, in words, with the reason for it."""
    from eventbench.store.expected import STATES

    why = f": {item['why']}" if item["why"] else ""
    busy = ", being written now" if item["being_written"] else ""
    if item["state"] == "draft":
        of = f"{item['of']:,}" if item["of"] is not None else "an unknown number"
        return f"draft with {item['samples']:,} of {of} done{busy}{why}"
    return f"{STATES[item['state']]}{busy}{why}"


def samples_text(item: dict[str, Any]) -> str:
    """`16 samples`, and how many were left out of them where some were."""
    left_out = f" ({item['left_out']:,} left out)" if item["left_out"] else ""
    return f"{item['samples']:,} samples{left_out}"


def short(path: str, cache: Path) -> str:
    """The path as it is below the cache."""
    return path.removeprefix(f"{cache}/")


def own_card_and_pipeline(function: Callable[..., None]) -> Callable[..., None]:
    """Cards and pipelines of the user's own count beside the shipped ones."""
    card = click.option(
        "--card", "cards", multiple=True, metavar="CARD", help="A card of your own, a TOML file."
    )
    pipeline = click.option(
        "--pipeline", "pipelines", multiple=True, metavar="P", help="A pipeline of your own, a TOML file."
    )
    return card(pipeline(function))


def stores_compared(cache: Path, expected: ExpectedStores, data: Path) -> tuple[dict[str, Any], list[str]]:
    """What verify says of the stores beside the recordings below `data`, as JSON and as lines."""
    from eventbench.preprocess.comparison import compare_all

    comparisons = compare_all(cache, expected, data)
    differ = {str(comparison.path): comparison.differ for comparison in comparisons if comparison.differ}
    skipped = {
        str(comparison.path): comparison.not_compared for comparison in comparisons if comparison.not_compared
    }
    compared = len(comparisons) - len(skipped)
    document = {"data": str(data), "compared": compared, "differ": differ, "not_compared": skipped}
    lines = [f"recordings at {data}: {compared:,} stores compared, {len(differ):,} made from others"]
    lines += [f"  made from others: {path}: {changes}" for path, changes in differ.items()]
    lines += [f"  not compared: {path}: {reason}" for path, reason in skipped.items()]
    return document, lines


def stores_verified(cache: Path, expected: ExpectedStores) -> tuple[dict[str, Any], list[str]]:
    """What verify says of the stores, as JSON and as lines."""
    from eventbench.preprocess.repair import examine_all

    healths = examine_all(cache, expected)
    broken = {str(health.item.path): list(health.faults) for health in healths if health.faults}
    skipped = {str(health.item.path): health.not_checked for health in healths if health.not_checked}
    checked = len(healths) - len(skipped)
    document = {
        "checked": checked,
        "broken": broken,
        "damaged": {str(health.item.path): list(health.damaged) for health in healths if health.damaged},
        "not_checked": skipped,
    }
    lines = [f"stores: {checked:,} checked, {len(broken):,} broken"]
    lines += [f"  broken: {path}: {fault}" for path, faults in broken.items() for fault in faults]
    lines += [f"  not checked: {path}: {reason}" for path, reason in skipped.items()]
    if broken:
        lines.append("  eventbench cache repair makes broken stores again")
    return document, lines
