"""eventbench ls: what there is, a line each."""

from __future__ import annotations

import click

from eventbench.cli import _options


class _KindsInHelp(click.Command):
    """A command whose help names the kinds at `{kinds}`: imported when the help is printed, not for `eventbench --help`."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help with the kinds filled in."""
        from eventbench.cli._kinds import KINDS

        self.help = (self.help or "").replace("{kinds}", f"{', '.join(KINDS[:-1])} or {KINDS[-1]}")
        super().format_help_text(ctx, formatter)


@click.command(name="ls", cls=_KindsInHelp, short_help="What there is, a line each.")
@click.argument("kind", required=False, metavar="[KIND]")
@_options.cache_dir
@_options.board_dir
@_options.as_json
def command(kind: str | None, cache_dir: str | None, board: str | None, as_json: bool) -> None:
    """List all things of a KIND, or of every kind.

    KIND is {kinds}.

    eventbench show NAME describes one thing in full, eventbench cache ls the state of the stores.
    """
    from eventbench import home
    from eventbench.cli._kinds import KINDS, listing
    from eventbench.errors import UnknownName

    if kind is not None and kind not in KINDS:
        raise UnknownName("kind", kind, KINDS)
    places = home.places(cache=cache_dir, board=board)
    listings = {name: listing(name, places) for name in ([kind] if kind else KINDS)}
    if as_json:
        _options.print_json(listings)
        return
    for name, rows in listings.items():
        if kind is None:
            _options.say(name if rows else f"{name}: none")
        indent = "" if kind else "  "
        widest = max((len(str(row["name"])) for row in rows), default=0)
        for row in rows:
            _options.say(f"{indent}{row['name']:<{widest}}  {row['summary']}")
        if kind and not rows:
            click.echo(f"no {kind} yet", err=True)
