"""Options that several verbs share, and functions that print."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import redirect_stdout
from typing import Any

import click

data_dir = click.option("--data-dir", metavar="DIR", help="Raw recordings; else EVENTBENCH_DATA.")
cache_dir = click.option("--cache-dir", metavar="DIR", help="Stores; else EVENTBENCH_CACHE.")
board_dir = click.option("--board", metavar="DIR", help="Tasks and records; else EVENTBENCH_BOARD.")


def _alone_on_stdout(ctx: click.Context, _parameter: click.Parameter, as_json: bool) -> bool:
    """With --json, send to stderr what others print meanwhile, a submitted model for instance."""
    if as_json:
        ctx.meta[_STDOUT] = sys.stdout
        ctx.with_resource(redirect_stdout(sys.stderr))
    return as_json


_STDOUT = "eventbench.stdout"
as_json = click.option(
    "--json", "as_json", is_flag=True, callback=_alone_on_stdout, help="Print one JSON document."
)
workers = click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Recordings read at a time (default: one a core)."
)
device = click.option("--device", metavar="D", help="cpu or cuda (default: cuda where there is one).")
store = click.option(
    "--store",
    type=click.Choice(["frames", "events"]),
    help="Where samples come from: the store of frames, or that of events, binned as they are loaded; scores are the same. "
    "Default: what the task says.",
)


def cores() -> int:
    """How many processors this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def table_width() -> int:
    """The terminal's width in characters; 120 where stdout is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 120


def print_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # File names may have bytes that are not UTF-8, which Python reads as surrogates: they are printed as JSON escapes.
    ctx = click.get_current_context(silent=True)
    stdout = ctx.meta.get(_STDOUT) if ctx else None
    click.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"), file=stdout)


def note(lines: list[str]) -> None:
    """Print lines on stderr, one each, as `say` does on stdout: what a user must be told beside the answer."""
    from eventbench.leaderboard.figures import plain

    for line in lines:
        click.echo(plain(line), err=True)


def say(line: str) -> None:
    """Print a line that may quote file names or text of others: control characters, which a terminal obeys, become `?`."""
    from eventbench.leaderboard.figures import plain

    click.echo(plain(line))


def size(count: float) -> str:
    """`9.1 MB`, `512 bytes`."""
    for unit, bytes_each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes_each:
            return f"{count / bytes_each:,.1f} {unit}"
    return f"{count:,.0f} bytes"
