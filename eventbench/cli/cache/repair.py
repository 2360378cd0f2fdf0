"""eventbench cache repair: broken stores made again."""

from __future__ import annotations

import sys
from typing import Any

import click

from eventbench.cli import _options
from eventbench.cli.cache._report import (
    own_card_and_pipeline,
    shelf,
)


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
    from eventbench.errors import EventbenchError
    from eventbench.preprocess.repair import examine_all
    from eventbench.preprocess.repair import repair as mend

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
