"""eventbench demo: simulate, preprocess, train and score on a small scale, from raw events to a ranked board."""

from __future__ import annotations

import click

from eventbench.cli import _options

TASK = "sim_gesture_demo-v1"
MODELS = ("event_count", "conv_snn", "tcja_net", "pfa_net")
EPOCHS = 12  # enough to rank by within minutes; the full tasks train for longer


@click.command(name="demo", short_help="From raw events to a ranked board, in minutes.")
@click.option(
    "--out", metavar="DIR", help="Where submissions, records and the page go; else a folder of the cache."
)
@_options.device
@_options.cache_dir
@_options.as_json
def command(out: str | None, device: str | None, cache_dir: str | None, as_json: bool) -> None:
    """Simulate gestures, preprocess them, train and score the plain network, TCJA and PFA, and rank them.

    Everything really runs, on a small set and for few epochs, so figures are lower than those of the full task
    sim_gesture-v1. Records go to a board of the demo's own, not to yours. A second run repeats everything except the stores.
    """
    import shutil
    from pathlib import Path

    from eventbench import home
    from eventbench.cli._progress import bar, epoch_bars
    from eventbench.errors import EventbenchError
    from eventbench.leaderboard.site import write_site
    from eventbench.leaderboard.table import board_text
    from eventbench.leaderboard.view import task_board
    from eventbench.leaderboard.write import write_record
    from eventbench.loading.device import device_named
    from eventbench.loading.task_data import TaskData
    from eventbench.scoring.harness import score
    from eventbench.specs import catalog
    from eventbench.submission.folder import SubmissionFolder
    from eventbench.training.train_submission import train_submission
    from eventbench.training.trained_run import unwatched

    def say(line: str) -> None:
        click.echo(line, err=as_json)

    places = home.places(cache=cache_dir)
    if out is None:
        target = places.cache / "demo"
        shutil.rmtree(target, ignore_errors=True)
    else:
        target = Path(out).expanduser().absolute()
        if target.exists() and any(target.iterdir()):
            raise EventbenchError("the folder is not empty", where=target, fix="name another one with --out")
    task = catalog.task(TASK)
    say(f"1  simulating {task.spec.dataset}, and binning it by {task.spec.pipeline}")
    task_data = TaskData(task, places, device_named(device), workers=_options.cores(), progress=bar)
    store = task_data.store
    say(f"   {len(store)} recordings, {int(store.account['events'].sum()):,} events: {store.path}")
    say(f"2  training {', '.join(MODELS)}, one seed each, at most {EPOCHS} epochs")
    for name in MODELS:
        folder = target / "submissions" / name
        progress = unwatched if as_json else epoch_bars(name)
        (run,) = train_submission(task_data, name, {}, [0], folder, epochs=EPOCHS, progress=progress)
        record, rows = score(task_data, SubmissionFolder(folder))
        write_record(target / "board", record, rows)
        say(f"   {name}: {run.seconds:.0f} s, validation {run.figure} {run.best.validation_quality:.3f}")
    view = task_board(target / "board", TASK)
    say("3  the board\n")
    page = write_site([view], target / "site")
    if as_json:
        _options.print_json({**view.as_json(), "page": str(page), "store": str(store.path)})
        return
    say(board_text(view, _options.table_width()))
    say(f"page: {page}")
