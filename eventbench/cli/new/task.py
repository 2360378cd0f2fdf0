"""eventbench new task: the rules of a board, from a card."""

from __future__ import annotations

import click

from eventbench.cli import _options


@click.command(name="task", short_help="A task from a card.")
@click.argument("card")
@click.option("--out", metavar="FILE", help="The task to write (default: <card>-v1.toml beside the card).")
@click.option("--pipeline", metavar="P", help="A pipeline's name, or a TOML file beside the task.")
@_options.as_json
def command(card: str, out: str | None, pipeline: str | None, as_json: bool) -> None:
    """Write a task for CARD (a card's name, or a TOML file of your own), with rules that are usual.

    Checkpoints are chosen on the card's split validation, or on a fifth of the training samples, whole subjects where the
    card knows them; three seeds. A pipeline that makes a large sensor smaller is written beside it where none fits.
    """
    from pathlib import Path

    from eventbench.authoring.task import new_task

    written = new_task(card, Path(out).expanduser() if out else None, pipeline or "")
    if as_json:
        _options.print_json({"path": str(written.path), "files": [str(path) for path in written.files]})
        return
    for path in written.files:
        _options.say(f"{path}: written")
    _options.say(f"next: eventbench train conv_snn --task {written.path} --data-dir DIR --out my-conv")
