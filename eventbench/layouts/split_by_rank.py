"""One folder a class and no split of the publisher's: the first part of each class in one order, the rest in the next.

For data sets such as CIFAR10-DVS and N-Caltech101, that come without a split. Which sample goes where depends on names
(and a seed in the card) alone, so that it is the same on every machine.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from eventbench.errors import BadDataset, BadSpec
from eventbench.layouts._listing import compiled, files_of, refuse_other_splits, sample_id, subject_of, unique
from eventbench.layouts._rank import check_parts, draw
from eventbench.layouts.base import Layout
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card

# What a class is ordered by, in words.
ORDERS = {
    "name": "name as text (10 before 2)",
    "number": "the number the name ends in",
    "sha256": "sha256 of the seed {} and the id",
}
_NUMBER = re.compile(r"\d+$")


class SplitByRank(Layout, frozen=True, forbid_unknown_fields=True):
    """`parts` are (split, percent of each class) in order: of n files, split k ends at ceil(n * percent so far / 100).

    Parameters
    ----------
    parts : [["train", 90], ["test", 10]], of a sum of 100
    suffix : the ending of a recording's name
    order : "name" as text (10 before 2; SpikingJelly's), "number" by the number the name ends in, or "sha256" of
        "<seed> <id>", which stands in for a shuffle
    seed : of the order "sha256"
    folder : where the classes' folders are; "" for the data set's own
    id : how a sample is called, of {class} and {stem}
    subject : a regular expression whose group, in the name, is who is in the recording
    """

    split_note: ClassVar[str] = (
        "No random generator and no order of a file system takes part, so the split is the same on every machine."
    )

    parts: list[tuple[str, int]]
    suffix: str
    order: str = "name"
    seed: int = 0
    folder: str = ""
    id: str = "{class}/{stem}"
    subject: str = ""

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise BadSpec(f"order is {self.order!r}", allowed=", ".join(ORDERS))
        check_parts(self.parts)
        compiled(self.subject, "subject")

    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id. Raises BadDataset where a name has no number to order by."""
        refuse_other_splits((split for split, _ in self.parts), card.splits, "parts")
        subject = compiled(self.subject, "subject")
        samples: list[Sample] = []
        for label, name in enumerate(card.classes):
            paths = files_of(root / self.folder / name, self.suffix, root, self.skips)
            members = [(sample_id(self.id, {"class": name, "stem": path.stem}), path) for path in paths]
            members.sort(key=lambda member: self._rank(*member))
            for (id, path), split in zip(members, self._splits(len(members)), strict=True):
                samples.append(Sample(id, split, label, subject_of(path.stem, subject, path), path))
        return unique(samples, root)

    def tree(self) -> list[tuple[str, str]]:
        """One line: a folder a class."""
        folder = f"{self.folder}/" if self.folder else ""
        return [(f"{folder}<class>/*{self.suffix}", "every recording; the split is by rank")]

    def rule(self) -> str:
        """The order, the shares in it, and what is left out."""
        parts = [
            f"{split} the {'next' if number else 'first'} {percent} %"
            for number, (split, percent) in enumerate(self.parts)
        ]
        skipped = ", ".join(f"`{name}`" for name in self.skip)
        left_out = f" Left out: names like {skipped}." if skipped else ""
        order = ORDERS[self.order].format(self.seed)
        return f"Of each class, in order of {order}: {', '.join(parts)}, rounded up.{left_out}"

    def _rank(self, id: str, path: Path) -> tuple[int, str]:
        if self.order == "sha256":
            return 0, draw(self.seed, id)
        if self.order == "name":
            return 0, path.name
        number = _NUMBER.search(path.stem)
        if not number:
            raise BadDataset("its name does not end in a number to order by", where=path)
        return int(number[0]), path.name

    def _splits(self, n: int) -> list[str]:
        """The split of each of n files of a class, in order."""
        splits: list[str] = []
        so_far = 0
        for split, share in self.parts:
            so_far += share
            end = -(-n * so_far // 100)
            splits += [split] * (end - len(splits))
        return splits
