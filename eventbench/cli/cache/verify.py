"""eventbench cache verify: every sample of every store against its checksum, and stores against a folder of recordings."""

from __future__ import annotations

import sys
from typing import Any

import click

from eventbench.cli import _options
from eventbench.cli.cache._report import (
    cache_and_expected,
    own_card_and_pipeline,
    stores_compared,
    stores_verified,
)


@click.command(name="verify")
@own_card_and_pipeline
@click.option("--data-dir", metavar="DIR", help="Also compare each store with the raw recordings in DIR.")
@_options.cache_dir
@_options.as_json
def command(
    cards: tuple[str, ...],
    pipelines: tuple[str, ...],
    data_dir: str | None,
    cache_dir: str | None,
    as_json: bool,
) -> None:
    """Read every store and hold each sample against its checksum.

    With --data-dir, every raw file is hashed too, and what changed, came or went since a store was made is named. Exit
    status 1: a store is broken, its damaged samples are named; or it was made from other recordings than these.
    """
    from eventbench import home

    cache, expected = cache_and_expected(cache_dir, cards, pipelines)
    document, lines = stores_verified(cache, expected)
    recordings: dict[str, Any] | None = None
    if data_dir is not None:
        recordings, more = stores_compared(cache, expected, home.places(data=data_dir).data)
        lines += more
    if as_json:
        _options.print_json({"cache": str(cache), **document, "recordings": recordings})
    else:
        for line in lines:
            _options.say(line)
    if document["broken"] or (recordings and recordings["differ"]):
        sys.exit(1)
