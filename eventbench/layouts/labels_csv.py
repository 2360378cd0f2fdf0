"""A table in the data set's folder says it all: a CSV file with a line a recording, its path, label, split and subject."""

from __future__ import annotations

import csv
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from eventbench.errors import BadDataset, BadSpec
from eventbench.layouts._listing import lines_of
from eventbench.layouts._rank import Ranked, check_parts, rule_by_group, splits_by_group
from eventbench.layouts.base import Layout
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card

COLUMNS = ("path", "label", "split", "subject")


class LabelsCsv(Layout, frozen=True, forbid_unknown_fields=True):
    """A line a recording; a sample is called by its path without the ending. Columns that are not named are ignored.

    Parameters
    ----------
    table : the CSV file, below the data set's folder; separated by commas, semicolons or tabs
    columns : what the columns path, label, split and subject are called in its first line, where other than so
    suffix : what is to be added to each path
    parts : for a table without splits, [["train", 80], ["test", 20]]: percents of each class, subjects kept whole
    seed : of the order that `parts` divides
    turn : the percent at which the first part begins, for cross-validation

    Paths are relative to the table. A label is a class as the card names it. Split and subject may be absent.
    """

    table: str = "labels.csv"
    columns: dict[str, str] = {}
    suffix: str = ""
    parts: list[tuple[str, int]] = []
    seed: int = 0
    turn: int = 0

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.columns) - set(COLUMNS)):
            raise BadSpec(f"columns has {unknown[0]!r}", allowed=", ".join(COLUMNS))
        if self.parts:
            check_parts(self.parts, self.turn)

    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample of the table, sorted by id.

        Raises BadDataset, with the line, for a table that is not there, a column it lacks, a file that is not there or was
        named before, a label or a split that is none of the card's.
        """
        table = root / self.table
        lines = lines_of(table, f"to obtain it: {card.obtain.how}")
        separator = max(",;\t", key=(lines or [""])[0].count)
        rows = csv.reader(lines, delimiter=separator)
        header = [name.strip().lower() for name in next(rows, [])]
        at = self._places(header, table)
        samples: dict[str, tuple[int, Sample]] = {}
        for row in rows:
            if not "".join(row).strip():
                continue
            sample = self._sample(card, root, row, at, f"{table}, line {rows.line_num}")
            if sample is None:
                continue
            if first := samples.get(sample.id):
                raise BadDataset(
                    f"sample {sample.id} is in line {first[0]} too",
                    where=f"{table}, line {rows.line_num}",
                    fix="name each recording once, in one split",
                )
            samples[sample.id] = rows.line_num, sample
        listed = [samples[id][1] for id in sorted(samples)]
        if not self.parts:
            return listed
        ranked = [Ranked(sample.id, sample.label, sample.subject) for sample in listed]
        splits = splits_by_group(ranked, self.parts, self.seed, self.turn)
        return [sample._replace(split=splits[sample.id]) for sample in listed]

    def tree(self) -> list[tuple[str, str]]:
        """The table, and what it names."""
        names = ", ".join(self._named(column) for column in COLUMNS if column != "split" or not self.parts)
        return [
            (self.table, f"a line a recording: {names}"),
            (f"<path>{self.suffix}", "the recordings, relative to the table"),
        ]

    def rule(self) -> str:
        """As the table says, or by rank."""
        if self.parts:
            return rule_by_group(self.parts, self.seed, self.turn, self._named("subject"))
        return f"As the column {self._named('split')} of {self.table} says."

    def _named(self, column: str) -> str:
        return self.columns.get(column, column)

    def _places(self, header: list[str], table: Path) -> dict[str, int]:
        """Where in a line each column is."""
        at = {
            column: header.index(self._named(column).lower())
            for column in COLUMNS
            if self._named(column).lower() in header
        }
        needed = ["path", "label", *([] if self.parts else ["split"]), *self.columns]
        if absent := [column for column in needed if column not in at]:
            raise BadDataset(
                f"no column {self._named(absent[0])!r}: its columns are {', '.join(header)}",
                where=f"{table}, line 1",
                fix=f'name it in the card: columns = {{ {absent[0]} = "..." }}'
                + (' or give parts = [["train", 80], ["test", 20]]' if absent[0] == "split" else ""),
            )
        return at

    def _sample(
        self, card: Card, root: Path, row: list[str], at: dict[str, int], where: str
    ) -> Sample | None:
        """The sample of a line; None where it is left out."""
        try:
            fields = {column: row[place].strip() for column, place in at.items()}
        except IndexError:
            raise BadDataset(f"it has only {len(row)} columns: {','.join(row)[:60]!r}", where=where) from None
        name = PurePosixPath(fields["path"].replace("\\", "/") + self.suffix)
        if not fields["path"] or name.is_absolute() or ".." in name.parts:
            raise BadDataset(
                f"the path is {fields['path']!r}", where=where, allowed="a path relative to the table"
            )
        below = PurePosixPath(self.table).parent / name
        if self.skips(str(below)):
            return None
        path = root / below
        if not path.is_file():
            raise BadDataset(f"{name} is not there", where=where, fix=f"looked for {path}")
        if fields["label"] not in card.classes:
            raise BadDataset(f"no class {fields['label']!r}", where=where, allowed=", ".join(card.classes))
        split = "" if self.parts else fields["split"]
        if not self.parts and split not in card.splits:
            raise BadDataset(f"no split {split!r}", where=where, allowed=", ".join(card.splits))
        label = card.classes.index(fields["label"])
        return Sample(str(below.with_suffix("")), split, label, fields.get("subject", ""), path)
