"""Long recordings cut by CSV files of class, start and stop: DVS128 Gesture, SL-Animals-DVS.

Which recordings are in which split is said by lists in the data set, a file name a line, or by the card.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eventbench.errors import BadDataset, BadSpec, some
from eventbench.layouts._listing import (
    compiled,
    files_of,
    lines_of,
    named,
    refuse_other_splits,
    sample_id,
    subject_of,
    unique,
)
from eventbench.layouts.base import Layout
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card

UNITS = ("us", "events")


class LabelledWindows(Layout, frozen=True, forbid_unknown_fields=True):
    """A sample is what lies from `start` to before `stop`; samples of one recording may overlap.

    Parameters
    ----------
    suffix : the ending of a recording's name; `folder` is where recordings are, "" for the data set's own
    labels : the CSV file of a recording, of {stem}
    columns : the names, in its first line, of the columns of class, start and stop
    unit : what start and stop are: "us" of the recording's own clock, or "events" counted from 0
    first_class : the number of the card's first class
    lists : the file that lists the recordings of each split
    chosen, rest : or the recordings of some splits, by name without ending, and the split of all others
    id : how a sample is called, of {stem} and {number}, the line after the first in the CSV file, counted from 1
    subject : a regular expression whose group, in the recording's name, is who is in it
    """

    suffix: str
    labels: str
    columns: tuple[str, str, str]
    unit: str = "us"
    folder: str = ""
    first_class: int = 1
    lists: dict[str, str] = {}
    chosen: dict[str, list[str]] = {}
    rest: str = ""
    id: str = "{stem}/{number:02d}"
    subject: str = ""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise BadSpec(f"unit is {self.unit!r}", allowed=", ".join(UNITS))
        if bool(self.lists) == bool(self.chosen and self.rest) or bool(self.chosen) != bool(self.rest):
            raise BadSpec(
                "which recordings are in which split is not said", allowed="lists, or chosen and rest"
            )
        compiled(self.subject, "subject")

    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id.

        Raises BadDataset for a recording, a list or a CSV file that is missing, for a line that does not say what it must,
        and for a recording in two splits.
        """
        refuse_other_splits([*self.lists, *self.chosen, *filter(None, [self.rest])], card.splits, "splits")
        subject_pattern, fix = compiled(self.subject, "subject"), f"to obtain it: {card.obtain.how}"
        samples: list[Sample] = []
        for path, split in (self._listed if self.lists else self._chosen)(root, fix).items():
            labels = root / named(self.labels, {"stem": path.stem})
            subject = subject_of(path.stem, subject_pattern, path)
            for number, (label, start, stop) in enumerate(self._windows(labels, card, fix), start=1):
                id = sample_id(self.id, {"stem": path.stem, "number": number})
                window, part = ((start, stop), None) if self.unit == "us" else (None, (start, stop))
                samples.append(Sample(id, split, label, subject, path, window=window, part=part))
        return unique(samples, root)

    def tree(self) -> list[tuple[str, str]]:
        """Recordings, the CSV file of each, and the lists of splits."""
        folder = f"{self.folder}/" if self.folder else ""
        label, start, stop = self.columns
        lists = [
            (file, f"the recordings of split {split}, a name a line") for split, file in self.lists.items()
        ]
        return [
            (f"{folder}<name>{self.suffix}", "a long recording"),
            (
                self.labels.replace("{stem}", "<name>"),
                f"its samples: {label}, {start}, {stop} ({self.unit})",
            ),
            *lists,
        ]

    def rule(self) -> str:
        """By recording: as lists in the dataset say, or as the card says."""
        if not self.chosen:
            return "By recording, as the publisher's lists say."
        chosen = "; ".join(
            f"{split} {', '.join(f'`{name}`' for name in names)}" for split, names in self.chosen.items()
        )
        return f"By recording, listed in the card: {chosen}; all others {self.rest}."

    def _listed(self, root: Path, fix: str) -> dict[Path, str]:
        """Recording -> split, as the data set's own lists say."""
        splits: dict[Path, str] = {}
        first: dict[Path, str] = {}
        for split, name in self.lists.items():
            for number, line in enumerate(lines_of(root / name, fix), start=1):
                if not line.strip():
                    continue
                where = f"{root / name}, line {number}"
                path = root / self.folder / line.strip()
                if path.name != line.strip() or path.suffix != self.suffix or not path.is_file():
                    raise BadDataset(
                        f"{line.strip()!r} is no recording here",
                        where=where,
                        allowed=f"a *{self.suffix}",
                        fix=fix,
                    )
                if self.skips(path.relative_to(root).as_posix()):
                    continue
                if path in splits:
                    raise BadDataset(f"{line.strip()} was listed before, in {first[path]}", where=where)
                splits[path], first[path] = split, f"{name}, line {number}"
        return splits

    def _chosen(self, root: Path, fix: str) -> dict[Path, str]:
        """Recording -> split, as the card says."""
        paths = {path.stem: path for path in files_of(root / self.folder, self.suffix, root, self.skips)}
        splits = dict.fromkeys(paths, self.rest)
        names = [stem for stems in self.chosen.values() for stem in stems]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise BadSpec(
                f"chosen has {twice[0]!r} twice", where="[layout]", allowed="each recording in one split"
            )
        if missing := [name for name in names if name not in paths]:
            raise BadDataset(f"no {some(missing)}, that the card chooses", where=root / self.folder, fix=fix)
        splits |= {stem: split for split, stems in self.chosen.items() for stem in stems}
        return {path: splits[stem] for stem, path in paths.items()}

    def _windows(self, path: Path, card: Card, fix: str) -> Iterator[tuple[int, int, int]]:
        """(class index, start, stop) of each line of a CSV file but the first."""
        lines = csv.reader(lines_of(path, fix))
        header = [name.strip() for name in next(lines, [])]
        absent = [name for name in self.columns if name not in header]
        if absent:
            raise BadDataset(
                f"no column {absent[0]!r}", where=f"{path}, line 1", allowed=", ".join(self.columns)
            )
        at = [header.index(name) for name in self.columns]
        for line in lines:
            if not "".join(line).strip():
                continue
            where = f"{path}, line {lines.line_num}"
            try:
                number, start, stop = (int(line[k]) for k in at)
            except (ValueError, IndexError):
                raise BadDataset(
                    f"is {','.join(line)[:60]!r}",
                    where=where,
                    allowed=f"whole numbers: {', '.join(self.columns)}",
                ) from None
            label, last = number - self.first_class, self.first_class + len(card.classes) - 1
            if not 0 <= label < len(card.classes):
                raise BadDataset(f"no class {number}", where=where, allowed=f"{self.first_class} to {last}")
            if not 0 <= start < stop:
                raise BadDataset(f"goes from {start} to {stop}", where=where, allowed="0 <= start < stop")
            yield label, start, stop
