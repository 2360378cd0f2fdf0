"""eventbench convert: a recording in another format, read back equal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eventbench.cli import _options, _reading

if TYPE_CHECKING:
    from eventbench.recordings.convert import Converted


@click.command(name="convert", short_help="A recording in another format, read back equal.")
@click.argument("recording", metavar="IN")
@click.argument("out", metavar="OUT")
@click.option("--to", metavar="NAME", help="The writer, of eventbench ls writers (default: by OUT's ending).")
@click.option(
    "--write",
    "parameters",
    metavar="KEY=VALUE",
    multiple=True,
    help="A parameter of the writer: order=xypt, unit=s, compression=none. Repeatable.",
)
@_reading.options
@click.option("--start-us", type=int, metavar="US", help="Take events from this time on.")
@click.option("--stop-us", type=int, metavar="US", help="Take events before this time.")
@click.option("--from-zero", is_flag=True, help="Take the time of the first event off every time.")
@click.option("--overwrite", is_flag=True, help="Replace OUT where it exists; without it that is refused.")
@_options.as_json
def command(
    recording: str,
    out: str,
    to: str | None,
    parameters: tuple[str, ...],
    start_us: int | None,
    stop_us: int | None,
    from_zero: bool,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write the recording IN, of any format that is read, to the file OUT in another one.

    The ending of OUT says which: .npz, .npy, .csv, .txt, .tsv, .h5 (as DSEC), .hdf5 (as Prophesee), .raw (EVT 3), .dat, .es or
    .aedat4; --to names another, as evt2. eventbench show NAME lists what --write sets. --sensor, --source and --set say how
    IN is to be read, as for doctor.

    The file is read back and compared before it gets its name. A value that the format cannot hold is refused, never clamped.
    Long recordings go through in stretches of 262,144 events; .npz and .npy alone hold all of it in memory (13 bytes an event).
    """
    from eventbench.cli._progress import bar
    from eventbench.recordings.convert import Window, convert

    converted = convert(
        Path(recording).expanduser(),
        Path(out).expanduser(),
        _reading.reading(**options),
        writer=to or "",
        parameters=_reading.parameters("--write", parameters),
        window=Window(start_us, stop_us),
        overwrite=overwrite,
        from_zero=from_zero,
        progress=bar,
    )
    if as_json:
        _options.print_json(_document(converted))
    else:
        for note in converted.notes:
            _reading.say_note(converted.path, note)
        _options.say(_line(converted))


def _line(converted: Converted) -> str:
    saved = converted.saved
    width, height = saved.sensor
    of = f" of {converted.events:,}" if saved.events != converted.events else ""
    lost = ", ".join(f"{count:,} {reason}" for reason, count in converted.lost.items() if count)
    parts = [
        f"{converted.path} ({converted.source}, {converted.bytes:,} bytes) to {saved.path} ({saved.writer}, "
        f"{saved.bytes:,} bytes): {saved.events:,}{of} events on {width}x{height}, read back equal",
        "the sensor is as small as the events allow: if the camera's is larger, give --sensor WxH"
        if converted.sensor_is_least
        else "",
        f"{saved.from_zero_us:,} us taken off every time" if saved.from_zero_us else "",
        f"left out of {converted.path.name}: {lost}" if lost else "",
        *saved.notes,
    ]
    return "; ".join(filter(None, parts))


def _document(converted: Converted) -> dict[str, Any]:
    saved = converted.saved
    return {
        "in": {
            "path": str(converted.path),
            "source": converted.source,
            "bytes": converted.bytes,
            "events": converted.events,
            "sensor_is_least": converted.sensor_is_least,
            "lost": dict(converted.lost),
            "notes": [note._asdict() for note in converted.notes],
        },
        "out": {**saved._asdict(), "path": str(saved.path)},
    }
