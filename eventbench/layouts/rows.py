"""One HDF5 file a split, a recording a row, the labels beside them: SHD and SSC."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eventbench import registry
from eventbench.errors import BadDataset, BadRecording, BadSpec
from eventbench.layouts._listing import named, refuse_other_splits, unique
from eventbench.layouts.base import PUBLISHERS_SPLIT, Layout
from eventbench.sources.base import Source
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card


class Rows(Layout, frozen=True, forbid_unknown_fields=True):
    """`files` gives each split's file; `id` is made of {split} and {number}, the row counted from 1.

    The class of a row is `labels` of the file. Where the card sets `keys` (as "extra/keys"), the file's own list of words
    says which class a label is, and a class's number is its place in the card; else labels are the card's numbers.
    """

    files: dict[str, str]
    id: str = "{split}/{number:05d}"
    keys: str = ""

    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id. Raises BadDataset for a file that is not there or has other labels."""
        refuse_other_splits(self.files, card.splits, "files")
        source: Source = registry.sources.build(card.source, where="[source]")
        if not source.holds_many:
            raise BadSpec(
                f"the source is {card.source['name']!r}",
                where="[layout]",
                allowed="one whose files hold many",
            )
        samples: list[Sample] = []
        for split, name in self.files.items():
            if self.skips(name):
                continue
            path = root / name
            if not path.is_file():
                raise BadDataset("is not there", where=path, fix=f"to obtain it: {card.obtain.how}")
            try:
                labels, subjects = source.labels_in(path), source.subjects_in(path)
                classes = self._classes(card, path)
            except BadRecording as error:
                raise error.as_kind(BadDataset) from None
            if len(subjects) != len(labels):
                raise BadDataset(f"{len(labels):,} labels and {len(subjects):,} subjects", where=path)
            for row, (label, number) in enumerate(zip(labels.tolist(), subjects.tolist(), strict=True)):
                if label not in classes:
                    raise BadDataset(
                        f"the label of row {row:,} is {label}", where=path, allowed=f"0 to {len(classes) - 1}"
                    )
                id = named(self.id, {"split": split, "number": row + 1})
                subject = f"{number:02d}" if number >= 0 else ""
                samples.append(Sample(id, split, classes[label], subject, path, row=row))
        return unique(samples, root)

    def tree(self) -> list[tuple[str, str]]:
        """A line a split."""
        return [
            (file, f"split {split}, a recording a row, labels beside them")
            for split, file in self.files.items()
        ]

    def rule(self) -> str:
        """The publisher's."""
        return PUBLISHERS_SPLIT

    def _classes(self, card: Card, path: Path) -> dict[int, int]:
        """Label of the file -> class of the card."""
        if not self.keys:
            return {label: label for label in range(len(card.classes))}
        from eventbench.files.hdf5 import column, opened

        with opened(path, str(path)) as file:
            if self.keys not in file:
                raise BadRecording(f"no {self.keys} in it", where=path)
            read = column(file[self.keys], path.stat().st_size, str(path)).tolist()
        words = [word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word) for word in read]
        if sorted(words) != sorted(card.classes):
            differing = sorted(set(words) ^ set(card.classes))
            raise BadDataset(
                f"its words are not the card's classes: {', '.join(map(repr, differing[:3])) or 'one is there twice'}",
                where=f"{path}, {self.keys}",
                allowed=f"the card's {len(card.classes)} classes",
            )
        return {label: card.classes.index(word) for label, word in enumerate(words)}
