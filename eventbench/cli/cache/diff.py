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

    diff = compare(open_any(Path(first)), open_any(Path(second)))
    if as_json:
        _options.print_json(
            {
                "first": first,
                "second": second,
                "contents_equal": diff.contents_equal,
                "key": diff.key,
                "only_first": diff.only_first,
                "only_second": diff.only_second,
                "changed": {sample.id: sample.differences for sample in diff.changed},
                "same": diff.same,
            }
        )
    else:
        for clause in diff.key or ["made from the same"]:
            _options.say(f"key: {clause}")
        for store, ids in (("first", diff.only_first), ("second", diff.only_second)):
            if ids:
                _options.say(f"only in the {store}: {_some(ids)}")
        for sample in diff.changed[:SHOWN]:
            _options.say(f"{sample.id}: {'; '.join(sample.differences)}")
        if len(diff.changed) > SHOWN:
            _options.say(f"and {len(diff.changed) - SHOWN:,} more")
        verdict = "they hold the same" if diff.contents_equal else f"{len(diff.changed):,} differ"
        _options.say(f"samples in both: {diff.same + len(diff.changed):,}; {verdict}")
    if not diff.contents_equal:
        sys.exit(1)


def _some(ids: list[str]) -> str:
    from eventbench.errors import some

    return f"{len(ids):,} samples: {some(ids)}"
