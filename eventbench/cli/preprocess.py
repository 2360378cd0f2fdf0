"""eventbench preprocess: raw recordings to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from eventbench.cli import _options

if TYPE_CHECKING:
    from eventbench.preprocess.remarks import Remark
    from eventbench.preprocess.report import Report

SHOWN = 10  # remarks of a kind, in lines


@click.command(name="preprocess", short_help="Raw recordings to the store.")
@click.argument("dataset")
@click.option(
    "--pipeline", metavar="P", help="Also make frames: a pipeline's name, or a TOML file of your own."
)
@_options.workers
@click.option("--rebuild", is_flag=True, help="Make the stores again, even if they are there.")
@click.option(
    "--keep-going",
    is_flag=True,
    help="Leave out recordings that cannot be read; the store says which, and is not ranked where the card pins its samples.",
)
@click.option(
    "--download",
    is_flag=True,
    help="Fetch the raw files first, as far as they are not there: checked by their hashes, gone on with where that broke off.",
)
@_options.data_dir
@_options.cache_dir
@_options.as_json
def command(
    dataset: str,
    pipeline: str | None,
    workers: int | None,
    rebuild: bool,
    keep_going: bool,
    download: bool,
    data_dir: str | None,
    cache_dir: str | None,
    as_json: bool,
) -> None:
    """Decode every recording of DATASET (a card's name, or a TOML file of your own) once into its store of events.

    With --pipeline P, those events also become frames in a second store. A killed run goes on where it was; a stale store
    is never taken for this one. Raw files are looked for below --data-dir. Where the card does not pin them, a store whose
    files have changed, come or gone is made again; where there are none, its store is used, and that is said.
    """
    from eventbench import home
    from eventbench.cli._progress import bar
    from eventbench.preprocess.binning import Binning
    from eventbench.preprocess.events_store import events_store
    from eventbench.preprocess.frames_store import frames_store
    from eventbench.preprocess.remarks import remarks_on
    from eventbench.preprocess.report import Refused
    from eventbench.recordings.dataset import Dataset
    from eventbench.specs import catalog
    from eventbench.store.read import EventStore

    places = home.places(data=data_dir, cache=cache_dir)
    card = catalog.card(dataset)
    recipe = catalog.pipeline(pipeline) if pipeline else None
    if recipe:
        Binning.of(recipe)  # refused before hours of decoding, not after
    if download:
        from eventbench.recordings.download import download as fetch

        _options.note(fetch(card, places.data, bar))
    options: dict[str, Any] = {
        "workers": workers or _options.cores(),
        "rebuild": rebuild,
        "progress": bar,
    }
    try:
        reports = [events_store(card, places.data, places.cache, keep_going=keep_going, **options)]
    except Refused as refusal:
        _print_refused(card.id, refusal.report, as_json)
        raise
    if recipe:
        reports.append(frames_store(card, recipe, places.cache, incomplete=keep_going, **options))
        reports[1].not_looked_at = reports[0].not_looked_at  # of the same recordings
    remarks = remarks_on(Dataset(card, places.data, cache=places.cache), EventStore(reports[0].store))
    _print_stores(card.id, reports, remarks, as_json)


def _print_refused(dataset: str, report: Report, as_json: bool) -> None:
    if as_json:
        _options.print_json(
            {"dataset": dataset, "read": report.samples, "refused": report.refused, "stores": []}
        )
        return
    sound = report.samples - len(report.refused)
    click.echo(
        f"{dataset}: {report.samples:,} recordings read, {sound:,} sound, {len(report.refused):,} refused"
    )
    for reason in report.refused.values():
        click.echo(f"  refused: {reason}")


def _print_stores(dataset: str, reports: list[Report], remarks: list[Remark], as_json: bool) -> None:
    read, left_out = reports[0].samples, reports[0].refused
    stores = [_store_made(report) for report in reports]
    if as_json:
        noted = [remark._asdict() for remark in remarks]
        _options.print_json(
            {"dataset": dataset, "read": read, "refused": left_out, "stores": stores, "remarks": noted}
        )
        return
    click.echo(
        f"{dataset}: {read:,} recordings, {len(left_out):,} refused{' and left out' if left_out else ''}"
    )
    for reason in left_out.values():
        _options.say(f"  left out: {reason}")
    for report, store in zip(reports, stores, strict=True):
        before = {0: "", store["samples"]: "; was there"}.get(
            store["found"], f"; {store['found']:,} from an earlier run"
        )
        lost = ", ".join(f"{count:,} {reason}" for reason, count in store["lost"].items()) or "none"
        click.echo(
            f"  {store['layout']}: {store['events']:,} events in, {store['kept']:,} kept, lost: {lost}{before}"
        )
        if store["mended"]:
            mended = ", ".join(f"{count:,} {kind}" for kind, count in store["mended"].items())
            click.echo(f"  mended: {mended}")
        click.echo(f"  {store['path']} ({_options.size(store['bytes'])})")
        for note in store["notes"] if report is reports[0] else ():
            _options.say(f"  note: {_note_text(note)}")
        for note in report.notes:
            if report is reports[0] or note not in reports[0].notes:
                _options.say(f"  {note}")
    _print_remarks(remarks)


def _note_text(note: dict[str, Any]) -> str:
    """A note of some files, with the first of them as an example."""
    files = f"{note['files']:,} files, as {note['file']}" if note["files"] > 1 else note["file"]
    return f"{note['kind']}: {files}: {note['what']}" + (f"; {note['fix']}" if note["fix"] else "")


def _print_remarks(remarks: list[Remark]) -> None:
    """A line each, of each kind at most SHOWN; single files of which the same is to be said share a line."""
    from eventbench.errors import some

    lines: dict[str, dict[str, list[str]]] = {}  # by kind, what is said (and of which pair of files) -> files
    for remark in remarks:
        said = lines.setdefault(remark.kind, {})
        pair = ", ".join(remark.files[:-1])
        said.setdefault(f"{pair}\0{remark.what}", []).append(remark.files[-1])
    for kind, said in lines.items():
        for key, files in list(said.items())[:SHOWN]:
            pair, _, what = key.partition("\0")
            _options.say(f"  {kind}: {pair}{', ' if pair else ''}{some(files)}: {what}")
        if len(said) > SHOWN:
            _options.say(f"  {kind}: {len(said) - SHOWN:,} more; --json tells all")


def _store_made(report: Report) -> dict[str, Any]:
    """One store that a run made or found, as JSON."""
    from eventbench.preprocess.report import account_of, mended_in
    from eventbench.store.read import open_any

    store = open_any(report.store)
    account = account_of(store)
    return {
        "layout": store.layout,
        "path": str(report.store),
        "key": store.key,
        "samples": len(store),
        "found": report.already_done,
        "events": account["events"],
        "kept": account["kept"],
        "lost": {name.removeprefix("lost/"): n for name, n in account.items() if name.startswith("lost/")},
        "mended": mended_in(store),
        "notes": [note._asdict() for note in store.notes],
        "bytes": report.store.stat().st_size,
        "made_again": report.made_again,
        "not_looked_at": report.not_looked_at,
    }
