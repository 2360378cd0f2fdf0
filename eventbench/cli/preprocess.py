"""eventbench preprocess: raw recordings to the store."""

from __future__ import annotations

from typing import Any

import click

from eventbench.cli import _options


@click.command(name="preprocess", short_help="Raw recordings to the store.")
@click.argument("dataset")
@click.option(
    "--pipeline", metavar="P", help="Also make frames: a pipeline's name, or a TOML file of your own."
)
@_options.workers
@click.option("--rebuild", is_flag=True, help="Make the stores again, even if they are there.")
@click.option("--download", is_flag=True, help="Fetch the raw files first, with tonic's downloader.")
@_options.data_dir
@_options.cache_dir
@_options.as_json
def command(
    dataset: str,
    pipeline: str | None,
    workers: int | None,
    rebuild: bool,
    download: bool,
    data_dir: str | None,
    cache_dir: str | None,
    as_json: bool,
) -> None:
    """Decode every recording of DATASET (a card's name, or a TOML file of your own) once into its store of events.

    With --pipeline P, those events also become frames in a second store. A killed run goes on where it was; a store made
    by other rules is never taken for this one. Raw files are looked for below --data-dir.
    """
    from eventbench import home
    from eventbench.preprocess.binning import Binning
    from eventbench.preprocess.events_store import events_store
    from eventbench.preprocess.frames_store import frames_store
    from eventbench.preprocess.report import Refused
    from eventbench.specs import catalog

    places = home.places(data=data_dir, cache=cache_dir)
    card = catalog.card(dataset)
    recipe = catalog.pipeline(pipeline) if pipeline else None
    if recipe:
        Binning.of(recipe)  # refused before hours of decoding, not after
    workers = workers or _options.cores()
    if download:
        from eventbench.recordings.download import download as fetch

        fetch(card, places.data)
    how: dict[str, Any] = {"workers": workers, "rebuild": rebuild, "progress": True}
    try:
        reports = [events_store(card, places.data, places.cache, **how)]
    except Refused as refusal:
        report = refusal.report
        if as_json:
            _options.print_json(
                {"dataset": card.id, "read": report.samples, "refused": report.refused, "stores": []}
            )
        else:
            kept = report.samples - len(report.refused)
            click.echo(
                f"{card.id}: {report.samples:,} recordings read, {kept:,} sound, {len(report.refused):,} refused"
            )
            for reason in report.refused.values():
                click.echo(f"  refused: {reason}")
        raise
    if recipe:
        reports.append(frames_store(card, recipe, places.cache, **how))
    told = [_told(report) for report in reports]
    if as_json:
        _options.print_json({"dataset": card.id, "read": reports[0].samples, "refused": {}, "stores": told})
        return
    click.echo(f"{card.id}: {reports[0].samples:,} recordings, 0 refused")
    for store in told:
        before = {0: "", store["samples"]: "; was there"}.get(
            store["found"], f"; {store['found']:,} from an earlier run"
        )
        lost = ", ".join(f"{count:,} {reason}" for reason, count in store["lost"].items()) or "none"
        click.echo(
            f"  {store['layout']}: {store['events']:,} events in, {store['kept']:,} kept, lost: {lost}{before}"
        )
        click.echo(f"  {store['path']} ({store['bytes'] / 1e6:,.1f} MB)")


def _told(report: Any) -> dict[str, Any]:
    from eventbench.preprocess.report import account_of
    from eventbench.store.read import open_any

    store = open_any(report.store)
    account = account_of(store)
    return {
        "layout": store.layout,
        "path": str(report.store),
        "key": store.key,
        "samples": len(store),
        "found": report.found,
        "events": account["events"],
        "kept": account["kept"],
        "lost": {name.removeprefix("lost/"): n for name, n in account.items() if name.startswith("lost/")},
        "bytes": report.store.stat().st_size,
    }
