"""eventbench ls: what there is, a line each."""

from __future__ import annotations

import click

from eventbench.cli import _options


@click.command(name="ls", short_help="What there is, a line each.")
@click.argument("kind", required=False, metavar="[KIND]")
@_options.cache_dir
@_options.board_dir
@_options.as_json
def command(kind: str | None, cache_dir: str | None, board: str | None, as_json: bool) -> None:
    """List what there is of a KIND, or of every kind.

    KIND is datasets, pipelines, sources, layouts, steps, representations, models, metrics, tasks, records or stores.
    eventbench show NAME tells one thing in full, eventbench cache ls the state of the stores.
    """
    from eventbench import home
    from eventbench.cli._kinds import KINDS, lines
    from eventbench.errors import UnknownName

    if kind is not None and kind not in KINDS:
        raise UnknownName("kind", kind, KINDS)
    places = home.places(cache=cache_dir, board=board)
    told = {one: lines(one, places) for one in ([kind] if kind else KINDS)}
    if as_json:
        _options.print_json(told)
        return
    for one, things in told.items():
        if kind is None:
            _options.say(one if things else f"{one}: none")
        indent = "" if kind else "  "
        widest = max((len(str(thing["name"])) for thing in things), default=0)
        for thing in things:
            _options.say(f"{indent}{thing['name']:<{widest}}  {thing['summary']}")
        if kind and not things:
            click.echo(f"no {kind} yet", err=True)
