"""One HDF5 file a split, a recording a row, the labels beside them: SHD and SSC."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eventbench import registry
from eventbench.errors import BadDataset, BadRecording, BadSpec
from eventbench.layouts._listing import named, refuse_other_splits, unique
from eventbench.layouts._rank import Ranked, check_parts, rule_by_group, splits_by_group
from eventbench.layouts.base import PUBLISHERS_SPLIT, Layout
from eventbench.sources.base import Source
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card


class Rows(Layout, frozen=True, forbid_unknown_fields=True):
    """`files` gives each split's file; `id` is made of {split} and {number}, the row counted from 1.

    The class of a row is `labels` of the file. Where the card sets `keys` (as "extra/keys"), the file's own list of words
    says which class a label is, and a class's number is its place in the card; else labels are the card's numbers.

    For files that are no splits, `parts`, [["train", 80], ["test", 20]], are percents of each class, subjects kept whole, in an
    order that `seed` decides; {split} of `id` is then the name that `files` gives the file.
    """

    files: dict[str, str]
    id: str = "{split}/{number:05d}"
    keys: str = ""
    parts: list[tuple[str, int]] = []
    seed: int = 0

    def __post_init__(self) -> None:
        if self.parts:
            check_parts(self.parts)

    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id. Raises BadDataset for a file that is not there or has other labels."""
        splits = [split for split, _ in self.parts] or list(self.files)
        refuse_other_splits(splits, card.splits, "parts" if self.parts else "files")
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
        return self._in_parts(unique(samples, root))

    def _in_parts(self, samples: list[Sample]) -> list[Sample]:
        """The samples, sorted by id, in the splits of `parts` where there are any."""
        if not self.parts:
            return samples
        ranked = [Ranked(sample.id, sample.label, sample.subject) for sample in samples]
        splits = splits_by_group(ranked, self.parts, self.seed, 0)
        return [sample._replace(split=splits[sample.id]) for sample in samples]

    def tree(self) -> list[tuple[str, str]]:
        """A line a split."""
        return [
            (file, f"{'' if self.parts else f'split {split}, '}a recording a row, labels beside them")
            for split, file in self.files.items()
        ]

    def rule(self) -> str:
        """The publisher's, or by rank."""
        return rule_by_group(self.parts, self.seed, 0, "subject") if self.parts else PUBLISHERS_SPLIT

    def _classes(self, card: Card, path: Path) -> dict[int, int]:
        """Label of the file -> class of the card."""
        if not self.keys:
            return {label: label for label in range(len(card.classes))}
        words = words_in(path, self.keys)
        if sorted(words) != sorted(card.classes):
            differing = sorted(set(words) ^ set(card.classes))
            raise BadDataset(
                f"its words are not the card's classes: {', '.join(map(repr, differing[:3])) or 'one is there twice'}",
                where=f"{path}, {self.keys}",
                allowed=f"the card's {len(card.classes)} classes",
            )
        return {label: card.classes.index(word) for label, word in enumerate(words)}


def words_in(path: Path, keys: str) -> list[str]:
    """The words of the labels in an HDF5 file, at `keys` in it. Raises BadRecording where there are none."""
    from eventbench.files.hdf5 import column, opened

    with opened(path, str(path)) as file:
        if keys not in file:
            raise BadRecording(f"no {keys} in it", where=path)
        read = column(file[keys], path.stat().st_size, str(path)).tolist()
    return [word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word) for word in read]
