"""Whether a store still is what the recordings in a folder would make: `look_at_folder`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from eventbench.errors import BadDataset
from eventbench.recordings.changes import FolderState
from eventbench.recordings.dataset import Dataset
from eventbench.specs.card import Card, SplitPins
from eventbench.specs.catalog import Named
from eventbench.specs.raw_files import RawFiles
from eventbench.specs.sample import Sample
from eventbench.store.read import Store

UNKNOWN_FILES = "it does not say which files it was made from, as stores of eventbench 0.2 and earlier do not"


class Freshness(NamedTuple):
    """What looking at the recordings has shown of a store that its key fits.

    `stale` says how they differ from those it was made from, "" where they do not. `not_looked_at` says what it was made
    from and when, where there were no recordings to look at and nothing pins them; else it is "".
    """

    stale: str = ""
    not_looked_at: str = ""

    @property
    def notes(self) -> list[str]:
        """What a user must be told who goes on with the store."""
        return [f"not looked at: {self.not_looked_at}"] if self.not_looked_at else []


def look_at_folder(store: Store, card: Named[Card], data: Path) -> Freshness:
    """Compare a store of this card, of events or frames, with the recordings below `data`.

    Files that look unchanged are not read. Where the card pins its recordings to the byte, or they are simulated, the
    folder does not matter. Raises BadDataset where the recordings are not those that the card or a pins file beside them
    pins.
    """
    if card.spec.pins_content:
        return Freshness()
    dataset = Dataset(card, data, cache=store.path.parent.parent)
    raw = store.raw_files()
    samples = dataset.at_hand(raw.files if raw else ())
    if samples is None:
        if raw and raw.folder == str(dataset.root.resolve()) and dataset.passed_over([]):
            dataset.check([])  # all went from the folder that it was made from, and others like them came
        return _without_folder(store, dataset)
    if raw is None:
        dataset.check(samples)
        return Freshness(stale=UNKNOWN_FILES)
    folder = folder_state(dataset, samples, raw)
    changes = folder.changes(stored_samples(store))
    try:
        dataset.check(samples)
        for split in card.spec.splits:
            names = [sample.id for sample in samples if sample.split == split]
            dataset.check_files(split, {name: folder.hashes[name] for name in names})
    except BadDataset as error:
        if not changes:
            raise
        what = f"{error.what} (since the store was made, {changes})"
        raise BadDataset(
            what, where=error.where, allowed=error.allowed, fix=error.fix, reason=error.reason
        ) from None
    return Freshness(stale=str(changes))


def folder_state(
    dataset: Dataset, samples: list[Sample], raw: RawFiles, hashed: dict[str, str] | None = None
) -> FolderState:
    """The files of the folder beside those of a store. Raises BadDataset where one cannot be read."""
    try:
        return FolderState(dataset, samples, raw, hashed)
    except OSError as error:
        raise BadDataset(f"cannot be read: {error.strerror}", where=error.filename) from None


def stored_samples(store: Store) -> list[tuple[str, str, int, str]]:
    """Id, split, label and subject of each sample of a store, and of those that it was made without."""
    stored = list(zip(store.ids, store.splits, store.labels.tolist(), store.subjects, strict=True))
    left_out = [(sample.id, sample.split, sample.label, sample.subject) for sample in store.left_out]
    return sorted(stored + left_out) if left_out else stored


def _without_folder(store: Store, dataset: Dataset) -> Freshness:
    """What a pins file says of the store, where the recordings are not at hand; else what the store itself says."""
    if dataset.pins is None:
        return Freshness(not_looked_at=_origin(store, dataset))
    for split, pinned in dataset.pins.splits.items():
        rows = [row for row, name in enumerate(store.splits) if name == split]
        ids, labels = [store.ids[row] for row in rows], [int(store.labels[row]) for row in rows]
        hashes = {store.ids[row]: store.hashes[row] for row in rows}
        if pinned.disagreements(SplitPins.of(ids, labels, len(store.classes), hashes)):
            raise BadDataset(
                f"split {split!r}: the store was not made from the recordings that are pinned",
                where=dataset.pins_file,
                fix=f"name the folder of the recordings with --data-dir, or remove {store.path}",
            )
    return Freshness()


def _origin(store: Store, dataset: Dataset) -> str:
    raw = store.raw_files()
    folder = raw.folder if raw else "files that it does not name"
    day = datetime.fromtimestamp(store.path.stat().st_mtime, UTC).date()
    return f"store made from {folder} on {day} (no recordings of {dataset.id} at {dataset.root})"
