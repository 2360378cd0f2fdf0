"""The words of eventbench cache: a store, its state and its size, in a line and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventbench.store.rules import Rules
    from eventbench.store.shelf import Seen

WITHOUT_SAMPLES = ("draft", "unfinished", "layout unknown", "unreadable")


def shelf(cache_dir: str | None, cards: tuple[str, ...], pipelines: tuple[str, ...]) -> tuple[Path, Rules]:
    from eventbench import catalog, home
    from eventbench.store.rules import shipped_rules

    cache = home.places(cache=cache_dir).cache
    more: list[catalog.Named[Any]] = [*map(catalog.card, cards), *map(catalog.pipeline, pipelines)]
    return cache, shipped_rules(cache, more)


def told_of(seen: Seen, rules: Rules) -> dict[str, Any]:
    from eventbench.store.shelf import being_written

    item = seen.item
    state, why = rules.judge(seen)
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
    from eventbench.store.rules import STATES

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
