"""eventbench new card: a card written from a folder of recordings."""

from __future__ import annotations

import click

from eventbench.cli import _options, _reading


@click.command(name="card", short_help="A card from a folder of recordings.")
@click.argument("folder")
@click.option(
    "--out", required=True, metavar="FILE", help="The card to write, as own.toml; it must not exist yet."
)
@click.option("--pin", is_flag=True, help="Demand the numbers of recordings found, of each split and class.")
@_reading.options
@_options.as_json
def command(
    folder: str,
    out: str,
    pin: bool,
    sensor: str | None,
    source: str | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write a card of the recordings below FOLDER: format, sensor, classes, splits, subjects and counts.

    Files are read, and paths looked at: folders or names of files say the classes, maybe splits (train, validation, test)
    and who is in a recording; a table labels.csv (path, label, split, subject) says it better. What is guessed is marked in
    the card.
    """
    from pathlib import Path

    from eventbench.authoring.card import new_card
    from eventbench.cli._progress import bar

    target = Path(out).expanduser()
    written = new_card(
        Path(folder).expanduser(), target, _reading.reading(sensor, source, settings), bar, pin=pin
    )
    card = written.card
    if as_json:
        _options.print_json(
            {
                "path": str(target),
                "sensor": list(card.sensor),
                "source": card.source,
                "layout": card.layout,
                "classes": card.classes,
                "samples": written.samples,
                "guessed": written.guesses,
                "remarks": written.remarks,
            }
        )
        return
    counts = ", ".join(f"{count:,} {split}" for split, count in written.samples.items())
    width, height = card.sensor
    _options.say(
        f"{target}: {card.source['name']}, {width}x{height}, {len(card.classes)} classes, {counts} recordings"
    )
    for key, guess in written.guesses.items():
        _options.say(f"  guessed: {key}: {guess}")
    for remark in written.remarks[:SHOWN]:
        _options.say(f"  {remark}")
    if len(written.remarks) > SHOWN:
        _options.say(f"  {len(written.remarks) - SHOWN:,} remarks more; --json tells all")
    _options.say(f"next: eventbench preprocess {out} --data-dir {folder}; eventbench new task {out}")


SHOWN = 10  # remarks, a line each
