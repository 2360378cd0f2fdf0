"""Options that several verbs share, and how they print."""

from __future__ import annotations

import json
from typing import Any

import click

data_dir = click.option("--data-dir", metavar="DIR", help="Raw recordings; else EVENTBENCH_DATA.")
cache_dir = click.option("--cache-dir", metavar="DIR", help="Stores; else EVENTBENCH_CACHE.")
board_dir = click.option("--board", metavar="DIR", help="Tasks and records; else EVENTBENCH_BOARD.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
workers = click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Recordings read at a time (default: one a core)."
)
device = click.option("--device", metavar="D", help="cpu or cuda (default: cuda where there is one).")


def cores() -> int:
    """How many processors this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def print_json(document: Any) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
