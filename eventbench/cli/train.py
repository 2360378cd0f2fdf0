"""eventbench train: a submission folder, ready to submit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from eventbench.cli import _options

if TYPE_CHECKING:
    from pathlib import Path

    from eventbench.training.trained_run import TrainedRun


@click.command(name="train", short_help="Train a model into a submission folder.")
@click.argument("model")
@click.option("--task", required=True, metavar="T", help="The task to train for (eventbench ls tasks).")
@click.option(
    "--seed",
    "seeds",
    type=click.IntRange(0),
    multiple=True,
    metavar="S",
    help="A seed to train with, may be repeated; else the task's.",
)
@click.option("--epochs", type=click.IntRange(1), metavar="E", help="The most epochs; else the recipe's.")
@click.option(
    "--recipe",
    metavar="R",
    help="How to train: a name of models/recipes, or a TOML file; else the package's own.",
)
@click.option("--out", required=True, metavar="DIR", help="The folder to make; it must not exist yet.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter of the model, as in rank=4."
)
@click.option(
    "--title", default="", metavar="TEXT", help="What the board will call it; else the name of the class."
)
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="FILE",
    help="A file or folder beside a model of your own that it reads; may be repeated. What it imports is found.",
)
@_options.store
@_options.device
@_options.data_dir
@_options.cache_dir
@_options.board_dir
@_options.as_json
def command(
    model: str,
    task: str,
    seeds: tuple[int, ...],
    epochs: int | None,
    recipe: str | None,
    out: str,
    settings: tuple[str, ...],
    title: str,
    files: tuple[str, ...],
    store: Literal["frames", "events"] | None,
    device: str | None,
    data_dir: str | None,
    cache_dir: str | None,
    board: str | None,
    as_json: bool,
) -> None:
    """Train MODEL (a name of eventbench ls models, or my_model.py:MyNet) and leave a submission in DIR.

    Each seed's checkpoint is chosen on the validation samples; the test split is not touched. DIR gets submission.toml,
    the weights, a CSV log a seed and a picture of the learning curves. An interrupted run goes on with the seeds left.

    A model of your own may import what lies beside it (import blocks, from .blocks import Block) and read files there. DIR gets
    what it imports and each --file; where it lies in a submission already, all of its files.
    """
    from pathlib import Path

    from eventbench import home
    from eventbench.cli._progress import bar, epoch_bars
    from eventbench.loading.device import device_named
    from eventbench.loading.task_data import TaskData
    from eventbench.specs import catalog
    from eventbench.training.recipe import recipe_named
    from eventbench.training.train_submission import load_by_path, train_submission
    from eventbench.training.trained_run import unwatched

    places = home.places(data_dir, cache_dir, board)
    target = Path(out).expanduser().absolute()
    task_file = catalog.task(task, places.board)
    code = load_by_path(model)  # an unknown model or recipe is refused before a store is made for it
    training_recipe = recipe_named(recipe) if recipe else None
    task_data = TaskData(
        task_file, places, device_named(device), workers=_options.cores(), store=store, progress=bar
    )
    _options.note(task_data.notes)
    runs = train_submission(
        task_data,
        code,
        _config(settings),
        seeds or task_file.spec.seeds,
        target,
        recipe=training_recipe,
        epochs=epochs,
        title=title,
        named=[Path(file) for file in files],
        progress=unwatched if as_json else epoch_bars(model),
        note=lambda text: _options.note([text]),
    )
    _report(runs, target, out, task, task_data.notes, as_json=as_json)


def _report(
    runs: list[TrainedRun], target: Path, out: str, task: str, notes: list[str], *, as_json: bool
) -> None:
    if as_json:
        document = {"folder": str(target), "runs": [run.as_json() for run in runs]}
        _options.print_json(document | {"notes": notes})
        return
    for run in runs:
        click.echo(_line(run))
    click.echo(f"{target}: score it with eventbench submit {out} --task {task}")


def _line(run: TrainedRun) -> str:
    return (
        f"seed {run.seed}: validation {run.figure} {run.best.validation_quality:.3f} "
        f"at epoch {run.best_epoch} of {len(run.log)}, {run.seconds:.0f} s"
    )


def _config(settings: tuple[str, ...]) -> dict[str, object]:
    """The settings of `key=value` pairs; a value that is not valid TOML is taken as text."""
    import tomllib

    from eventbench.errors import BadSpec

    config: dict[str, object] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.isidentifier():
            raise BadSpec(f"--set {setting!r}", allowed="KEY=VALUE, as in rank=4 or composition=learned")
        try:
            config[key] = tomllib.loads(f"v = {value}")["v"]
        except tomllib.TOMLDecodeError:
            config[key] = value
    return config
