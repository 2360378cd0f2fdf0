"""eventbench new submission: a folder with a small model that runs."""

from __future__ import annotations

import click

from eventbench.cli import _options


@click.command(name="submission", short_help="A submission with a small model that runs.")
@click.argument("folder", metavar="[DIR]", required=False)
@click.option("--out", metavar="DIR", help="The same as DIR.")
@click.option("--task", metavar="T", help="The task it is for: its frames are what the weights are made for.")
@_options.board_dir
@_options.as_json
def command(folder: str | None, out: str | None, task: str | None, board: str | None, as_json: bool) -> None:
    """Write a submission into DIR: submission.toml, a small spiking network (my_model.py, blocks.py), and untrained
    weights.

    With --task it can be submitted as it is, and has learnt nothing; without, it has no weights yet. Change the model, and
    train it into another folder.
    """
    from pathlib import Path

    from eventbench import home
    from eventbench.authoring.submission import new_submission

    folder = folder or out
    if folder is None:
        raise click.UsageError("Missing argument 'DIR'")
    files = new_submission(Path(folder).expanduser(), task or "", home.places(board=board))
    if as_json:
        _options.print_json({"folder": folder, "files": [str(path) for path in files]})
        return
    for path in files:
        _options.say(f"{path}: written")
    _options.say(
        f"next: eventbench train {folder}/my_model.py:MyNet --task {task or 'T'} --data-dir DIR --out trained"
    )
