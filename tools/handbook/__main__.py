"""`python -m tools.handbook [--check]`: write every page and picture, or list those that are out of date."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from eventbench import home
from eventbench.errors import EventbenchError
from tools.handbook.book import out_of_date, write_all


@click.command(name="handbook", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--check", is_flag=True, help="Write nothing; exit status 1 where a page is out of date.")
def command(check: bool) -> None:
    """Generate the pages of datasets/ and pipelines/ from the code and the cards."""
    if not home.in_checkout():
        raise click.UsageError("the pages are part of the repository, and this is an installed package")
    if check:
        stale = out_of_date(home.CHECKOUT)
        for path, reason in stale.items():
            click.echo(f"{path}: {reason}; run `make docs`")
        sys.exit(1 if stale else 0)
    for path in write_all(home.CHECKOUT):
        click.echo(Path(path).as_posix())


if __name__ == "__main__":
    try:
        command.main(prog_name="python -m tools.handbook", standalone_mode=True)
    except EventbenchError as error:
        click.echo(f"eventbench: {error}", err=True)
        sys.exit(2)
