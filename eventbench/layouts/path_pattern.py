"""Everything is in the path: a pattern a split, in which {class} or {number} is the label and {subject} who is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eventbench.layouts._listing import refuse_other_splits, unique
from eventbench.layouts._patterns import check_pattern, samples_of
from eventbench.layouts.base import PUBLISHERS_SPLIT, Layout
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card


class PathPattern(Layout, frozen=True, forbid_unknown_fields=True):
    """`patterns` gives each split's paths, as "ibmGestureTrain/{subject}_{light}/{number}.npy".

    A field is as short as it can be and within one folder. {class} is a class as the card names it, {number} its number,
    of which `first_class` is the first; {subject} goes into the sample; others, such as {light}, only tell files apart.
    `id` is made of {split} and the fields.
    """

    patterns: dict[str, str]
    id: str
    first_class: int = 0

    def __post_init__(self) -> None:
        for pattern in self.patterns.values():
            check_pattern(pattern)

    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id. Raises BadDataset for a path of no class of the card."""
        refuse_other_splits(self.patterns, card.splits, "patterns")
        samples = [
            sample
            for split, pattern in self.patterns.items()
            for sample, _ in samples_of(self, card, root, split, pattern)
        ]
        return unique(samples, root)

    def tree(self) -> list[tuple[str, str]]:
        """A line a split."""
        return [
            (
                pattern.replace("{", "<").replace("}", ">"),
                f"split {split}; <number> is the class, from {self.first_class}",
            )
            for split, pattern in self.patterns.items()
        ]

    def rule(self) -> str:
        """The publisher's."""
        return PUBLISHERS_SPLIT
