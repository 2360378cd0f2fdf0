"""eventbench doctor: one recording or a folder of them, examined."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eventbench.cli import _options, _reading

if TYPE_CHECKING:
    from eventbench.doctor import Examined, Finding, Folder

SHOWN = 5  # recordings listed by name that share a finding


@click.command(name="doctor", short_help="Examine a recording or a dataset folder.")
@click.argument("path")
@_reading.options
@_options.as_json
def command(path: str, as_json: bool, **options: Any) -> None:
    """Read the recording PATH, or every recording below the folder PATH, and say what is in it and what is wrong.

    Each finding comes with what to do, and all of them with a verdict: healthy, usable with care, or broken. Without
    --sensor, events are held against the size the file states; where its format states none, they cannot lie outside.
    --source and --set say how it is to be read, in the words of [source] of a card.
    A folder needs no card; in it the same events under two names, and in two splits, are found as well.

    Exit status 1: a problem was found (warnings alone are none); 2: there is nothing that can be examined. Nothing is
    changed.
    """
    from eventbench.cli._progress import bar
    from eventbench.doctor import examine, examine_folder, holds_many

    place = Path(path).expanduser()
    reading = _reading.reading(**options)
    if place.is_dir() or holds_many(place):
        folder = examine_folder(place, reading, bar)
        _show_folder(folder, as_json)
        sound = not folder.problems
    else:
        recording = examine(place, reading, bar)
        _show(recording, as_json)
        sound = not recording.problems
    if not sound:
        sys.exit(1)


def _show(recording: Examined, as_json: bool) -> None:
    from eventbench.doctor import verdict

    word = verdict(recording.problems, recording.warnings)
    if as_json:
        _options.print_json({**_facts(recording), "verdict": word})
        return
    _options.say(f"{recording.path}: {recording.bytes:,} bytes, sha256 {recording.sha256 or 'of nothing'}")
    _say("format", f"{recording.format}, by {recording.recognised_by}")
    for label, value in _lines(recording):
        _say(label, value)
    _show_findings(recording.problems, recording.warnings)
    _options.say(f"verdict: {_counted(word, recording.problems, recording.warnings)}")


def _say(label: str, value: str) -> None:
    _options.say(f"  {label:<11} {value}")


def _lines(recording: Examined) -> list[tuple[str, str]]:
    summary, raw = recording.summary, recording.raw
    if summary is None or not summary.events:
        return _raw_lines(recording)
    width, height = summary.sensor
    off, share = summary.events - summary.on, summary.on / summary.events
    seconds = summary.duration_us / 1e6
    rate = f", {summary.events / seconds:,.0f} events/s" if seconds else ""
    doubt = f"may be {recording.suspected_unit}" if recording.suspected_unit else "nothing speaks against it"
    lines = [
        ("sensor", f"{width}x{height}, {recording.sensor_from}; every event inside"),
        ("events", f"{summary.events:,}"),
        ("time", f"{summary.first_us:,} to {summary.last_us:,} us ({seconds:,.3f} s{rate}), never backwards"),
        ("time unit", f"read as {recording.time_unit}, {doubt}; steps of {recording.tick_us:,} us"),
        ("longest gap", f"{summary.longest_gap_us:,} us"),
        ("polarity", f"{summary.on:,} ON ({share:.1%}), {off:,} OFF; {recording.polarity_convention}"),
        ("pixels", f"{summary.active_pixels:,} of {width * height:,} have events"),
        ("hot pixels", f"{len(summary.hot_pixels):,}" if summary.hot_pixels else "none"),
        ("repeated", f"{summary.repeated:,} events are the same as another one"),
    ]
    warned = {finding.what for finding in recording.warnings}
    lines += [("note", note) for note in recording.notes if note not in warned]
    if raw is not None:
        left_out = (
            (raw.overflow_markers, "overflow markers (y = 240)"),
            (raw.other_words, "words that are no events"),
        )
        lines += [("left out", f"{count:,} {what}") for count, what in left_out if count]
        if raw.wraps:
            lines.append(("clock", f"began anew {raw.wraps:,} times, which is undone"))
    return lines


def _raw_lines(recording: Examined) -> list[tuple[str, str]]:
    """What the columns of a refused file show."""
    raw = recording.raw
    if raw is None or raw.x is None or raw.y is None or raw.t_us is None:
        return []
    back = f"{raw.steps_back:,} steps back" if raw.steps_back else "never backwards"
    return [
        ("events", f"{raw.rows:,} as the file has them"),
        ("time", f"{raw.t_us[0]:,.0f} to {raw.t_us[1]:,.0f} us, {back}"),
        ("polarity", recording.polarity_convention),
        ("pixels", f"x {raw.x[0]:,} to {raw.x[1]:,}, y {raw.y[0]:,} to {raw.y[1]:,}"),
    ]


def _show_findings(problems: list[Finding], warnings: list[Finding]) -> None:
    for word, findings in (("problem", problems), ("warning", warnings)):
        counts: dict[tuple[str, str], int] = {}
        for finding in findings:
            kind = (finding.about, finding.fix)
            counts[kind] = counts.get(kind, 0) + 1
            if counts[kind] > SHOWN:
                continue
            where = f"{finding.path}: " if finding.path else ""
            _say(f"{word}:", f"{where}{finding.what}")
            if counts[kind] == 1:
                _say("  do:", finding.fix)
        for (about, _), count in counts.items():
            if count > SHOWN:
                _say(
                    f"{word}:", f"{about}, the same with {count - SHOWN:,} recordings more; --json tells all"
                )


def _counted(word: str, problems: list[Finding], warnings: list[Finding]) -> str:
    counts = ((len(problems), "problem"), (len(warnings), "warning"))
    listed = ", ".join(f"{count:,} {what}{'s' if count != 1 else ''}" for count, what in counts if count)
    return f"{word}: {listed}" if listed else word


def _show_folder(folder: Folder, as_json: bool) -> None:
    import msgspec

    from eventbench.doctor import by_format, verdict

    read = [recording.summary for recording in folder.recordings if recording.summary]
    conventions = sorted({recording.polarity_convention for recording in folder.recordings} - {""})
    word = verdict(folder.problems, folder.warnings)
    facts: dict[str, Any] = {
        "path": folder.path,
        "recordings": len(folder.recordings),
        "readable": len(read),
        "formats": by_format(folder),
        "bytes": sum(recording.bytes for recording in folder.recordings),
        "events": sum(summary.events for summary in read),
        "on": sum(summary.on for summary in read),
        "polarity_conventions": conventions,
        "sensors": sorted({summary.sensor for summary in read}),
        "shortest_us": min((summary.duration_us for summary in read), default=None),
        "longest_us": max((summary.duration_us for summary in read), default=None),
        "hot_pixels": sum(bool(summary.hot_pixels) for summary in read),
        "duplicates": folder.duplicates,
        "other_files": folder.other_files,
        "passed_over": folder.passed_over,
        "problems": msgspec.to_builtins(folder.problems),
        "warnings": msgspec.to_builtins(folder.warnings),
        "verdict": word,
    }
    if as_json:
        _options.print_json({**facts, "files": [_facts(recording) for recording in folder.recordings]})
        return
    formats = ", ".join(f"{count:,} {name}" for name, count in facts["formats"].items())
    _options.say(f"{folder.path}: {facts['recordings']:,} recordings ({formats}), {facts['bytes']:,} bytes")
    if read:
        widths, heights = zip(*facts["sensors"], strict=True)
        _say("sensor", f"{max(widths)}x{max(heights)} holds every event")
        _say("events", f"{facts['events']:,}, {facts['on'] / max(1, facts['events']):.1%} ON")
        _say("polarity", "; ".join(conventions))
        _say("time", f"{facts['shortest_us']:,} to {facts['longest_us']:,} us long, never backwards")
        _say("hot pixels", f"in {facts['hot_pixels']:,} recordings")
    copies = sum(len(group) - 1 for group in folder.duplicates)
    _say("duplicates", f"{copies:,} recordings have the events of another")
    _say("other files", f"{folder.other_files:,}")
    if folder.passed_over:
        shown = ", ".join(folder.passed_over[:SHOWN]) + (", ..." if len(folder.passed_over) > SHOWN else "")
        _say("passed over", f"{len(folder.passed_over):,} files that hold no recording: {shown}")
    _show_findings(folder.problems, folder.warnings)
    _options.say(f"verdict: {_counted(word, folder.problems, folder.warnings)}")


def _facts(recording: Examined) -> dict[str, Any]:
    import msgspec

    facts: dict[str, Any] = msgspec.to_builtins(recording)
    summary = facts.pop("summary")
    if recording.summary is None or summary is None:
        return facts
    derived = {
        "off": recording.summary.events - recording.summary.on,
        "duration_us": recording.summary.duration_us,
    }
    # The names of keys are a promise to programs, whatever the fields are called.
    summary["usual"] = summary.pop("extent")
    pixels = [pixel._asdict() for pixel in recording.summary.hot_pixels]
    return {**facts, **summary, **derived, "unit": "us", "ordered": True, "hot_pixels": pixels}
