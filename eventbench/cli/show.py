"""eventbench show: one thing in full, with its digest and where its file is."""

from __future__ import annotations

from typing import Any

import click

from eventbench.cli import _options


@click.command(name="show", short_help="One thing in full.")
@click.argument("name")
@_options.cache_dir
@_options.board_dir
@_options.as_json
def command(name: str, cache_dir: str | None, board: str | None, as_json: bool) -> None:
    """Tell NAME in full: its digest, where its file is, and what it says.

    NAME is anything eventbench ls lists, a record by its id or any start or end of it that no other record has, or the
    path of a TOML file, a record, a store or a submission folder. A name of several kinds shows all of them.
    """
    from eventbench import home
    from eventbench.cli._things import by_name, by_path

    places = home.places(cache=cache_dir, board=board)
    told = by_path(name, places) or by_name(name, places)
    if as_json:
        _options.print_json(told)
        return
    for place, one in enumerate(told):
        if place:
            click.echo()
        _print(one)


def _print(one: dict[str, Any]) -> None:
    _options.say(f"{one['kind']} {one['name']}")
    _options.say(f"  file    {one['path'] or 'of another package'}")
    if one["digest"]:
        _options.say(f"  digest  {one['digest']}")
    if one.get("withdrawn"):
        _options.say(f"  withdrawn: {one['withdrawn']}")
    for reason in one.get("broken", []):
        _options.say(f"  broken: {reason}")
    for name in one.get("missing", []):
        _options.say(f"  missing: {name}")
    if "parameters" in one:
        _print_member(one)
    else:
        _print_content(one["content"])
    if "stores" in one:
        click.echo("  stores" if one["stores"] else "  stores: none yet")
        for store in one["stores"]:
            why = f": {store['why']}" if store["why"] else ""
            _options.say(f"    {store['path']}: {store['samples']:,} samples, {store['state']}{why}")


def _print_member(one: dict[str, Any]) -> None:
    if one["version"] is not None:
        _options.say(f"  version {one['version']}")
    _options.say(f"  class   {one['class']}")
    if one.get("endings"):
        _options.say(f"  endings {' '.join(one['endings'])}")
    click.echo("  parameters" if one["parameters"] else "  parameters: none")
    for parameter in one["parameters"]:
        default = "" if parameter["default"] is None else f" = {parameter['default']}"
        kind = f": {parameter['type']}" if parameter["type"] else ""
        _options.say(f"    {parameter['name']}{kind}{default}")
    texts = [one["summary"]] + ([one["docstring"]] if one["docstring"] != one["summary"] else [])
    for text in texts:
        click.echo()
        for line in text.splitlines():
            _options.say(f"  {line}".rstrip())


def _print_content(content: dict[str, Any], indent: str = "  ") -> None:
    """Tables by indentation, values as JSON on one line, text of several lines as it is."""
    import json

    for key, value in content.items():
        if isinstance(value, dict) and value:
            _options.say(f"{indent}{key}")
            _print_content(value, indent + "  ")
        elif isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
            for part in value:
                _options.say(f"{indent}{key}")
                _print_content(part, indent + "  ")
        elif isinstance(value, str):
            first, *rest = value.strip().splitlines() or [""]
            _options.say(f"{indent}{key}: {first}")
            for line in rest:
                _options.say(f"{indent}  {line}")
        else:
            _options.say(f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}")
