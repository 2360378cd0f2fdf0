"""eventbench cache repair: broken stores made again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eventbench.cli import _options
from eventbench.cli.cache._report import cache_and_expected, own_card_and_pipeline

if TYPE_CHECKING:
    from eventbench.preprocess.repair import Health
    from eventbench.store.expected import ExpectedStores


@click.command(name="repair")
@own_card_and_pipeline
@_options.workers
@_options.data_dir
@_options.cache_dir
@_options.as_json
def command(
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
    from eventbench.preprocess.repair import examine_all

    cache, expected = cache_and_expected(cache_dir, cards, pipelines)
    healths = examine_all(cache, expected)
    broken = [health for health in healths if health.faults]
    data = home.places(data=data_dir).data
    repaired, failed = _repair_all(broken, expected, data, cache, workers or _options.cores())
    if as_json:
        _options.print_json({"cache": str(cache), "repaired": repaired, "failed": failed})
    else:
        counts = f"{len(healths):,} checked, {len(repaired):,} repaired, {len(failed):,} not repaired"
        _options.say(f"stores: {counts}")
        for store in repaired:
            faults = "; ".join(store["faults"])
            others = ", from other recordings than before" if store["other_recordings"] else ""
            _options.say(f"  repaired: {store['path']}: {store['samples']:,} samples{others} (was: {faults})")
        for reason in failed.values():
            _options.say(f"  not repaired: {reason}")
    if failed:
        sys.exit(1)


def _repair_all(
    broken: list[Health], expected: ExpectedStores, data: Path, cache: Path, workers: int
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The stores made again, as JSON, and by path the reason why others could not be; events before frames."""
    from eventbench.cli._progress import bar
    from eventbench.errors import BadStore, EventbenchError
    from eventbench.preprocess.repair import repair

    repaired: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    without_events: set[str] = set()  # datasets whose events are still broken: no frames may be made of them
    for health in sorted(broken, key=lambda health: health.item.layout != "events"):
        item = health.item
        try:
            if item.layout == "frames" and item.dataset in without_events:
                raise BadStore("the store of events it is made from is broken", where=item.path)
            sound = repair(health, expected, data, cache, workers=workers, progress=bar)
        except EventbenchError as error:
            failed[str(item.path)] = str(error)
            if item.layout == "events":
                without_events.add(item.dataset)
        else:
            repaired.append(
                {
                    "path": str(item.path),
                    "samples": sound.samples,
                    "faults": list(health.faults),
                    "other_recordings": sound.other_recordings,
                }
            )
    return repaired, failed
