"""eventbench cache diff: two stores side by side."""

from __future__ import annotations

import sys

import click

from eventbench.cli import _options

SHOWN = 10


@click.command(name="diff")
@click.argument("first")
@click.argument("second")
@_options.as_json
def command(first: str, second: str, as_json: bool) -> None:
    """Say how two stores, FIRST and SECOND, differ: what they were made from, their samples, and what those hold.

    Exit status 1: what they hold differs. Stores made in different ways may hold the same.
    """
    from pathlib import Path

    from eventbench.store.diff import compare
    from eventbench.store.read import open_any

    found = compare(open_any(Path(first)), open_any(Path(second)))
    if as_json:
        _options.print_json(
            {
                "first": first,
                "second": second,
                "contents_equal": found.contents_equal,
                "key": found.key,
                "only_first": found.only_first,
                "only_second": found.only_second,
                "changed": {sample.id: sample.how for sample in found.changed},
                "same": found.same,
            }
        )
    else:
        for clause in found.key or ["made from the same"]:
            _options.say(f"key: {clause}")
        for where, ids in (("first", found.only_first), ("second", found.only_second)):
            if ids:
                _options.say(f"only in the {where}: {_some(ids)}")
        for sample in found.changed[:SHOWN]:
            _options.say(f"{sample.id}: {'; '.join(sample.how)}")
        if len(found.changed) > SHOWN:
            _options.say(f"and {len(found.changed) - SHOWN:,} more")
        told = "they hold the same" if found.contents_equal else f"{len(found.changed):,} differ"
        _options.say(f"samples in both: {found.same + len(found.changed):,}; {told}")
    if not found.contents_equal:
        sys.exit(1)


def _some(ids: list[str]) -> str:
    from eventbench.errors import some

    return f"{len(ids):,} samples: {some(ids)}"
