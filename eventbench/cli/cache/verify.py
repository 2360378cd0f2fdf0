"""eventbench cache verify: every sample of every store against its checksum."""

from __future__ import annotations

import sys

import click

from eventbench.cli import _options
from eventbench.cli.cache._report import cache_and_expected, own_card_and_pipeline, stores_verified


@click.command(name="verify")
@own_card_and_pipeline
@_options.cache_dir
@_options.as_json
def command(cards: tuple[str, ...], pipelines: tuple[str, ...], cache_dir: str | None, as_json: bool) -> None:
    """Read every store and hold each sample against its checksum.

    Exit status 1: a store is broken; its damaged samples are named.
    """
    cache, expected = cache_and_expected(cache_dir, cards, pipelines)
    document, lines = stores_verified(cache, expected)
    if as_json:
        _options.print_json({"cache": str(cache), **document})
    else:
        for line in lines:
            _options.say(line)
    if document["broken"]:
        sys.exit(1)
