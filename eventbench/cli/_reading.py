"""Options of verbs that read recordings: --sensor, --source and --set, in the words of `[source]` of a card."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from eventbench.cli import _options

if TYPE_CHECKING:
    from pathlib import Path

    from eventbench.recordings.read import Reading
    from eventbench.sources.base import Note

NAMES = ("sensor", "source", "settings")
_OPTIONS = (
    click.option("--sensor", metavar="WxH", help="Width and height of the sensor in pixels, as in 34x34."),
    click.option(
        "--source",
        metavar="NAME",
        help="The source that reads it, of eventbench ls sources (default: told by content).",
    ),
    click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="A parameter of the source, as in [source] of a card: sort=true, outside=drop, unit=ms. Repeatable.",
    ),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A verb with these options; it is called with `sensor`, `source` and `settings`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def reading(sensor: str | None, source: str | None, settings: tuple[str, ...]) -> Reading:
    """What the options say. Raises BadSpec for a size or a setting that is none."""
    from eventbench.recordings.read import Reading

    return Reading(_size(sensor), source or "", parameters("--set", settings))


def parameters(option: str, settings: tuple[str, ...]) -> dict[str, Any]:
    """The parameters that an option, given any number of times as KEY=VALUE, sets. Raises BadSpec for a setting that is none."""
    from eventbench.errors import BadSpec

    found: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise BadSpec(f"{option} is {setting!r}", allowed=f"KEY=VALUE, as in {option} unit=ms")
        found[key.strip()] = _value(text.strip())
    return found


def _value(text: str) -> Any:
    """A list or table as JSON; anything else stays text, which the source's own types make a number of."""
    try:
        return json.loads(text) if text[:1] in ("[", "{") else text
    except ValueError:
        return text


def _size(sensor: str | None) -> tuple[int, int] | None:
    """(width, height) of "34x34"; None for None."""
    from eventbench.errors import BadSpec

    if sensor is None:
        return None
    width, _, height = sensor.lower().partition("x")
    if not (
        width.isdecimal() and height.isdecimal() and 0 < int(width) <= 65536 and 0 < int(height) <= 65536
    ):
        raise BadSpec(f"--sensor is {sensor!r}", allowed="width x height in pixels, as in 128x128")
    return int(width), int(height)


def say_note(path: Path, note: Note) -> None:
    """What a decoder met in a file, and what to do about it, as a line."""
    _options.say(f"{path}: {note.what}" + (f"; {note.fix}" if note.fix else ""))
