"""eventbench new submission: a folder with a small model that runs."""

from __future__ import annotations

import click

from eventbench.cli import _options


@click.command(name="submission", short_help="A submission with a small model that runs.")
@click.argument("folder", metavar="DIR")
@click.option(
    "--task",
    required=True,
    metavar="T",
    help="The task it is for: its frames are what the model is made for.",
)
@_options.board_dir
@_options.as_json
def command(folder: str, task: str, board: str | None, as_json: bool) -> None:
    """Write a submission into DIR: submission.toml, my_model.py with a small spiking network, and untrained weights.

    It can be submitted as it is, and has learnt nothing; change the model, and train it into another folder.
    """
    from pathlib import Path

    from eventbench import home
    from eventbench.authoring.submission import new_submission

    files = new_submission(Path(folder).expanduser(), task, home.places(board=board))
    if as_json:
        _options.print_json({"folder": folder, "files": [str(path) for path in files]})
        return
    for path in files:
        _options.say(f"{path}: written")
    _options.say(
        f"next: eventbench train {folder}/my_model.py:MyNet --task {task} --data-dir DIR --out trained"
    )
