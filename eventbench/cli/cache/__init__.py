"""eventbench cache: the stores on disk, one sub-verb a file."""

from __future__ import annotations

import click

from eventbench.cli._verbs import Verbs

VERBS = ("ls", "verify", "repair", "gc", "explain", "diff")


@click.command(
    name="cache",
    cls=Verbs,
    package=__name__,
    verbs=VERBS,
    short_help="The stores on disk.",
    no_args_is_help=False,
)
def command() -> None:
    """See, check, mend and clear the stores that eventbench preprocess made.

    They lie in the folder that --cache-dir or EVENTBENCH_CACHE names.
    """
