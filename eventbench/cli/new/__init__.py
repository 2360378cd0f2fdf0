"""eventbench new: files to begin with, for data, rules and models of your own."""

from __future__ import annotations

import click

from eventbench.cli._verbs import Verbs

VERBS = ("card", "task", "submission")


@click.command(
    name="new",
    cls=Verbs,
    package=__name__,
    verbs=VERBS,
    short_help="A card, a task or a submission to begin with.",
)
def command() -> None:
    """Write a card from a folder of recordings, a task from a card, or a submission for a task."""
