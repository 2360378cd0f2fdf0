"""eventbench show: one thing in full, with its digest and the path of its file; or a recording as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eventbench.cli import _options, _reading

_DRAWING_OPTIONS = ("kind", "bins", "tau_us", "from_us", "to_us", "theme", *_reading.NAMES, "force")


@click.command(name="show", short_help="One thing in full, or a recording as a picture.")
@click.argument("name")
@click.option("--out", metavar="FILE", help="Draw the recording NAME: a .png sheet, or a .gif or .mp4 film.")
@click.option("--as", "kind", metavar="KIND", help="With --out: frames (the default), cloud or surface.")
@click.option("--bins", type=int, metavar="N", help="With --out: panels of a sheet, pages of a film.")
@click.option(
    "--tau-us", type=float, metavar="US", help="With --out: the time constant a surface fades with."
)
@click.option(
    "--from-us",
    type=int,
    metavar="US",
    help="With --out: draw what is later than this, counted from the first event.",
)
@click.option(
    "--to-us",
    type=int,
    metavar="US",
    help="With --out: draw what is earlier than this, counted from the first event.",
)
@click.option("--theme", metavar="T", help="With --out: dark (the default) or light.")
@_reading.options
@click.option(
    "--force", is_flag=True, help="With --out: replace an existing file; without it that is refused."
)
@_options.cache_dir
@_options.board_dir
@_options.as_json
def command(
    name: str, out: str | None, cache_dir: str | None, board: str | None, as_json: bool, **drawing: Any
) -> None:
    """Show NAME in full: its digest, the path of its file, and its content.

    NAME is anything eventbench ls lists, a record by its id or any start or end of it that no other record has, or the
    path of a TOML file, a record, a store or a submission folder. A name of several kinds shows all of them.

    With --out, NAME is a recording of any format and is drawn: as frames of ON and OFF events, as a cloud of events in
    x, y and time (a film turns it round), or as an exponential time surface. A film plays in real time, but a
    recording below 0.2 s is slowed down and one above a minute is sped up; the picture shows by how much.
    """
    if out is not None:
        _draw(name, out, cache_dir, as_json, **drawing)
        return
    if picture_options := [key for key in _DRAWING_OPTIONS if _is_given(drawing[key])]:
        option = {"kind": "as", "settings": "set"}.get(picture_options[0], picture_options[0])
        option = option.replace("_", "-")
        raise click.UsageError(f"--{option} is for a picture: name its file with --out")
    from eventbench import home
    from eventbench.cli._describe import describe_name, describe_path

    places = home.places(cache=cache_dir, board=board)
    tables = describe_path(name, places)
    if not tables:
        _refuse_recording(Path(name).expanduser())
        tables = describe_name(name, places)
    if as_json:
        _options.print_json(tables)
        return
    for index, table in enumerate(tables):
        if index:
            click.echo()
        _print(table)


def _is_given(value: Any) -> bool:
    return value is not None and value is not False and value != ()


def _refuse_recording(path: Path) -> None:
    """Raises BadSpec for any other file: it is likely to be a recording, and the advice says what to do with one."""
    from eventbench.errors import BadSpec

    if path.is_file():
        raise BadSpec(
            "is not a card, pipeline, task, record, store or submission",
            where=path,
            fix=f"if it is a recording: eventbench doctor {path}, or show it with --out picture.png",
        )


def _draw(name: str, out: str, cache_dir: str | None, as_json: bool, **drawing: Any) -> None:
    from eventbench import home
    from eventbench.cli._progress import bar
    from eventbench.pictures.files import check_target
    from eventbench.pictures.lettering import format_duration
    from eventbench.pictures.picture import draw
    from eventbench.recordings.read import source_of
    from eventbench.recordings.windows import open_with

    path, target = Path(name).expanduser(), Path(out).expanduser()
    check_target(target, drawing["force"])  # first, so that no large file is read in vain
    reading = _reading.reading(*(drawing[name] for name in _reading.NAMES))
    decoder, cache = source_of(path, reading), home.places(cache=cache_dir).cache
    recording = open_with(
        decoder, path, reading.sensor, cache=cache, keep_columns=False, may_not_keep=True, progress=bar
    )
    picture = draw(
        recording,
        target,
        title=path.name,
        kind=drawing["kind"] or "frames",
        bins=drawing["bins"],
        tau_us=drawing["tau_us"],
        theme=drawing["theme"] or "dark",
        from_us=drawing["from_us"],
        to_us=drawing["to_us"],
        force=drawing["force"],
        progress=bar,
    )
    if as_json:
        source = {"recording": str(path), "sensor": list(recording.sensor), "events": len(recording)}
        notes = [note._asdict() for note in recording.notes]
        account = {"lost": recording.lost, "notes": notes} if recording.lost or notes else {}
        _options.print_json(source | {"duration_us": recording.duration_us} | account | picture._asdict())
        return
    for note in recording.notes:
        _reading.say_note(path, note)
    if picture.drawn_events < picture.of_events:
        _options.say(f"{path}: a sample is drawn, {picture.drawn_events:,} of {picture.of_events:,} events")
    is_film = picture.seconds is not None
    panels = f"{picture.panels:,} {'page' if is_film else 'panel'}{'s' if picture.panels != 1 else ''}"
    size = f"{picture.width}x{picture.height}"
    length = f", {picture.seconds:,.2f} s" if is_film else ""
    panels += f" of {format_duration(picture.page_us)}" if picture.page_us else ""
    _options.say(f"{picture.path}: {picture.kind}, {panels}, {size}{length}, {picture.bytes:,} bytes")


def _print(table: dict[str, Any]) -> None:
    _options.say(f"{table['kind']} {table['name']}")
    _options.say(f"  file    {table['path'] or 'of another package'}")
    if table["digest"]:
        _options.say(f"  digest  {table['digest']}")
    if table.get("withdrawn"):
        _options.say(f"  withdrawn: {table['withdrawn']}")
    for reason in table.get("broken", []):
        _options.say(f"  broken: {reason}")
    for name in table.get("missing", []):
        _options.say(f"  missing: {name}")
    if "parameters" in table:
        _print_member(table)
    else:
        _print_content(table["content"])
    if "stores" in table:
        click.echo("  stores" if table["stores"] else "  stores: none yet")
        for store in table["stores"]:
            reason = f": {store['why']}" if store["why"] else ""
            _options.say(f"    {store['path']}: {store['samples']:,} samples, {store['state']}{reason}")


def _print_member(table: dict[str, Any]) -> None:
    if table["version"] is not None:
        _options.say(f"  version {table['version']}")
    _options.say(f"  class   {table['class']}")
    if table.get("endings"):
        _options.say(f"  endings {' '.join(table['endings'])}")
    click.echo("  parameters" if table["parameters"] else "  parameters: none")
    for parameter in table["parameters"]:
        default = "" if parameter["default"] is None else f" = {parameter['default']}"
        kind = f": {parameter['type']}" if parameter["type"] else ""
        _options.say(f"    {parameter['name']}{kind}{default}")
    texts = [table["summary"]] + ([table["docstring"]] if table["docstring"] != table["summary"] else [])
    for text in texts:
        click.echo()
        for line in text.splitlines():
            _options.say(f"  {line}".rstrip())


def _print_content(content: dict[str, Any], indent: str = "  ") -> None:
    """Print a table: nested tables indented, values as JSON on one line, text of several lines as it is."""
    import json

    for key, value in content.items():
        if isinstance(value, dict) and value:
            _options.say(f"{indent}{key}")
            _print_content(value, indent + "  ")
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for item in value:
                _options.say(f"{indent}{key}")
                _print_content(item, indent + "  ")
        elif isinstance(value, str):
            first, *rest = value.strip().splitlines() or [""]
            _options.say(f"{indent}{key}: {first}")
            for line in rest:
                _options.say(f"{indent}  {line}")
        else:
            _options.say(f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}")
