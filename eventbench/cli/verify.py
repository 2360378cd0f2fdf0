"""eventbench verify: recompute everything that can be recomputed, and say all that is broken."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from eventbench.cli import _options

if TYPE_CHECKING:
    from eventbench.home import Places
    from eventbench.recordings.verify import DataFilesReport

PARTS = ("records", "datasets", "stores")


@click.command(name="verify", short_help="Recompute, and say all that is broken.")
@click.argument("part", required=False, metavar="[records|datasets|stores]")
@click.argument("cards", nargs=-1, metavar="[CARD]...")
@click.option(
    "--write", is_flag=True, help="With datasets: pin, as they are now, recordings that no card pins."
)
@_options.data_dir
@_options.cache_dir
@_options.board_dir
@_options.as_json
def command(
    part: str | None,
    cards: tuple[str, ...],
    write: bool,
    data_dir: str | None,
    cache_dir: str | None,
    board: str | None,
    as_json: bool,
) -> None:
    """Check the records, the data files and the stores, or one of the three.

    records: every digest again, every accuracy again from the stored predictions. datasets: every card, pipeline and
    task, what they name, and the recordings below --data-dir against the card; with CARD, a name or a TOML file of your
    own, that card and its recordings alone. stores: every sample against its checksum. Exit status 1: something is broken, and each such thing is a line.

    Where a publisher lists neither names nor hashes, no card can pin them: verify datasets --write pins what is there in a
    file beside the recordings, and from then on verify and preprocess refuse anything else.
    """
    from eventbench import home
    from eventbench.errors import BadSpec, UnknownName

    if part is not None and part.endswith(".toml"):
        fix = f"eventbench verify datasets {' '.join([part, *cards])}"
        raise BadSpec(f"{part!r} is a card", where="verify", fix=fix)
    if part is not None and part not in PARTS:
        raise UnknownName("part", part, PARTS)
    if cards and part != "datasets":
        fix = f"eventbench verify datasets {' '.join(cards)}"
        raise BadSpec(f"{part} takes no card", where="verify", fix=fix)
    if write and part != "datasets":
        raise BadSpec("--write pins recordings", where="verify", fix="eventbench verify datasets --write")
    places = home.places(data_dir, cache_dir, board)
    checks: dict[str, Callable[[Places], tuple[dict[str, Any], list[str]]]] = {
        "records": _records,
        "datasets": lambda places: _datasets(places, cards, write),
        "stores": _stores,
    }
    document: dict[str, Any] = {}
    for name in [part] if part else PARTS:
        document[name], lines = checks[name](places)
        if not as_json:
            for line in lines:
                _options.say(line)
    if as_json:
        _options.print_json(document)
    if any(checked["broken"] for checked in document.values()):
        sys.exit(1)


def _records(places: Places) -> tuple[dict[str, Any], list[str]]:
    from eventbench.leaderboard.check import check_records

    reasons = check_records(places.board)
    broken = {record: faults for record, faults in reasons.items() if faults}
    lines = [f"records: {len(reasons):,} checked, {len(broken):,} broken"]
    return {"checked": len(reasons), "broken": broken}, lines + _broken(broken)


def _datasets(places: Places, cards: tuple[str, ...], write: bool) -> tuple[dict[str, Any], list[str]]:
    from eventbench.cli._progress import bar
    from eventbench.recordings.verify import check_cards, check_data_files
    from eventbench.specs import catalog

    if cards:
        report = check_cards(map(catalog.card, cards), places.data, bar, write)
    else:
        report = check_data_files(places.data, places.board, bar, write)
    document = {
        "checked": report.files,
        "broken": report.broken,
        "at_hand": report.at_hand,
        "not_at_hand": {card: str(error) for card, error in report.not_at_hand.items()},
        "pinned_here": report.pinned_here,
        "not_pinned": report.not_pinned,
        "counts_open": report.counts_open,
    }
    lines = [
        f"datasets: {len(report.files):,} files checked, {len(report.broken):,} broken",
        *_broken(report.broken),
    ]
    lines += [
        f"  at hand: {card}: {_pinned_by(card, report, cards)}"
        for card in report.at_hand
        if report.recordings_sound(card)
    ]
    lines += [
        f"  not at hand: {card}: not checked ({error.where}: {error.what})"
        for card, error in report.not_at_hand.items()
    ]
    return document, lines


def _pinned_by(card: str, report: DataFilesReport, cards: tuple[str, ...]) -> str:
    if card in report.now_pinned:
        return f"pinned here and now, not by the publisher: {report.pinned_here[card]}"
    if card in report.pinned_here:
        return f"its recordings are those pinned here, not by the publisher: {report.pinned_here[card]}"
    if card in report.not_pinned:
        command_line = " ".join(["eventbench verify datasets", *cards, "--write"])
        counts = "the card pins no counts" if card in report.counts_open else "its counts are the card's"
        return f"{counts}; nothing pins its recordings yet: {command_line}"
    return "its recordings are those the card pins"


def _stores(places: Places) -> tuple[dict[str, Any], list[str]]:
    from eventbench.cli.cache._report import stores_verified
    from eventbench.store.expected import expected_stores

    return stores_verified(places.cache, expected_stores(places.cache))


def _broken(faults: dict[str, list[str]]) -> list[str]:
    return [f"  broken: {name}: {reason}" for name, reasons in faults.items() for reason in reasons]
