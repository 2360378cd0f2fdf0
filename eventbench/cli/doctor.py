"""eventbench doctor: one recording or a folder of them, examined."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eventbench.cli import _options

if TYPE_CHECKING:
    from eventbench.doctor import Examined, Folder


@click.command(name="doctor", short_help="Examine a recording or a dataset folder.")
@click.argument("path")
@click.option(
    "--sensor", metavar="WxH", help="Width and height in pixels that events must lie in, as in 34x34."
)
@_options.as_json
def command(path: str, sensor: str | None, as_json: bool) -> None:
    """Read the recording PATH, or every recording below the folder PATH, and say what is in it and what is wrong.

    Without --sensor, events are held against the size the file states; where its format states none, they cannot lie
    outside. Exit status 1: a problem was found; 2: there is nothing that can be examined. Nothing is changed.
    """
    from eventbench.doctor import examine, examine_folder

    place = Path(path).expanduser()
    size = _size(sensor)
    if place.is_dir():
        folder = examine_folder(place, size, _progress)
        _show_folder(folder, as_json)
        sound = not folder.problems
    else:
        recording = examine(place, size)
        _show(recording, as_json)
        sound = not recording.problems
    if not sound:
        sys.exit(1)


def _size(sensor: str | None) -> tuple[int, int] | None:
    from eventbench.errors import BadSpec

    if sensor is None:
        return None
    width, _, height = sensor.lower().partition("x")
    if not (
        width.isdecimal() and height.isdecimal() and 0 < int(width) <= 65536 and 0 < int(height) <= 65536
    ):
        raise BadSpec(f"--sensor is {sensor!r}", allowed="width x height in pixels, as in 128x128")
    return int(width), int(height)


def _progress(paths: list[Path]) -> Any:
    from tqdm import tqdm

    return tqdm(paths, desc="examined", unit="file", disable=None)


def _show(recording: Examined, as_json: bool) -> None:
    verdict = _verdict(len(recording.problems), len(recording.warnings))
    if as_json:
        _options.print_json({**_facts(recording), "verdict": verdict})
        return
    _options.say(f"{recording.path}: {recording.bytes:,} bytes, sha256 {recording.sha256 or 'of nothing'}")
    _options.say(f"  format      {recording.format}")
    for label, value in _lines(recording):
        _options.say(f"  {label:<11} {value}")
    for word, sentences in (("problem", recording.problems), ("warning", recording.warnings)):
        for sentence in sentences:
            _options.say(f"  {word + ':':<11} {sentence}")
    _options.say(f"verdict: {verdict}")


def _lines(recording: Examined) -> list[tuple[str, str]]:
    figures = recording.figures
    if figures is None:
        return []
    width, height = figures.sensor
    lines = [("sensor", f"{width}x{height}, every event inside"), ("events", f"{figures.events:,}")]
    if not figures.events:
        return lines
    off, share = figures.events - figures.on, figures.on / figures.events
    seconds = figures.duration_us / 1e6
    rate = f", {figures.events / seconds:,.0f} events/s" if seconds else ""
    return [
        *lines,
        ("time", f"{figures.first_us:,} to {figures.last_us:,} us ({seconds:,.3f} s{rate}), never backwards"),
        ("longest gap", f"{figures.longest_gap_us:,} us"),
        ("polarity", f"{figures.on:,} ON ({share:.1%}), {off:,} OFF"),
        ("pixels", f"{figures.active_pixels:,} of {width * height:,} have events"),
        ("hot pixels", f"{len(figures.hot_pixels):,}" if figures.hot_pixels else "none"),
        ("repeated", f"{figures.repeated:,} events are the same as another one"),
    ]


def _show_folder(folder: Folder, as_json: bool) -> None:
    from eventbench.doctor import by_format

    warnings = [f"{one.path}: {said}" for one in folder.recordings for said in one.warnings]
    read = [one.figures for one in folder.recordings if one.figures]
    facts: dict[str, Any] = {
        "path": folder.path,
        "recordings": len(folder.recordings),
        "readable": len(read),
        "formats": by_format(folder),
        "bytes": sum(one.bytes for one in folder.recordings),
        "events": sum(figures.events for figures in read),
        "on": sum(figures.on for figures in read),
        "sensors": sorted({figures.sensor for figures in read}),
        "shortest_us": min((figures.duration_us for figures in read), default=None),
        "longest_us": max((figures.duration_us for figures in read), default=None),
        "hot_pixels": sum(bool(figures.hot_pixels) for figures in read),
        "duplicates": folder.duplicates,
        "other_files": folder.other_files,
        "passed_over": folder.passed_over,
        "problems": folder.problems,
        "warnings": warnings,
        "verdict": _verdict(len(folder.problems), len(warnings)),
    }
    if as_json:
        _options.print_json({**facts, "files": [_facts(one) for one in folder.recordings]})
        return
    formats = ", ".join(f"{count:,} {name}" for name, count in facts["formats"].items())
    _options.say(f"{folder.path}: {facts['recordings']:,} recordings ({formats}), {facts['bytes']:,} bytes")
    if read:
        widths, heights = zip(*facts["sensors"], strict=True)
        _options.say(f"  sensor      {max(widths)}x{max(heights)} holds every event")
        _options.say(f"  events      {facts['events']:,}, {facts['on'] / max(1, facts['events']):.1%} ON")
        _options.say(
            f"  time        {facts['shortest_us']:,} to {facts['longest_us']:,} us long, never backwards"
        )
        _options.say(f"  hot pixels  in {facts['hot_pixels']:,} recordings")
    _options.say(
        f"  duplicates  {sum(len(group) - 1 for group in folder.duplicates):,} files have the bytes of another"
    )
    _options.say(f"  other files {folder.other_files:,}")
    if folder.passed_over:
        shown = ", ".join(folder.passed_over[:5]) + (", ..." if len(folder.passed_over) > 5 else "")
        _options.say(f"  passed over {len(folder.passed_over):,} text files that hold no events: {shown}")
    for word, sentences in (("problem", folder.problems), ("warning", warnings)):
        for sentence in sentences:
            _options.say(f"  {word + ':':<11} {sentence}")
    _options.say(f"verdict: {facts['verdict']}")


def _facts(recording: Examined) -> dict[str, Any]:
    import msgspec

    facts = msgspec.to_builtins(recording)
    figures = facts.pop("figures")
    if recording.figures is None or figures is None:
        return facts
    derived = {
        "off": recording.figures.events - recording.figures.on,
        "duration_us": recording.figures.duration_us,
    }
    pixels = [pixel._asdict() for pixel in recording.figures.hot_pixels]
    return {**facts, **figures, **derived, "unit": "us", "ordered": True, "hot_pixels": pixels}


def _verdict(problems: int, warnings: int) -> str:
    worth = f", {warnings:,} {'warning' if warnings == 1 else 'warnings'}" if warnings else ""
    found = "sound" if not problems else f"{problems:,} {'problem' if problems == 1 else 'problems'}"
    return found + worth
