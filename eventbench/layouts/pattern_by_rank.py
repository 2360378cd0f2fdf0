"""The class, and who is in it, are in the path, and there is no split of the publisher's: `user01_wave_3.npz`, split by rank."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eventbench.errors import BadSpec
from eventbench.layouts._listing import refuse_other_splits, unique
from eventbench.layouts._patterns import check_pattern, samples_of
from eventbench.layouts._rank import Ranked, check_parts, rule_by_group, splits_by_group
from eventbench.layouts.base import Layout
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card


class PatternByRank(Layout, frozen=True, forbid_unknown_fields=True):
    """`pattern` is that of a recording's path, as "{subject}/{class}_{take}.npz"; fields as in path_pattern.

    Parameters
    ----------
    pattern : with {class}, a class as the card names it, or {number}, its number, counted from `first_class`
    parts : [["train", 80], ["test", 20]], percents of each class
    seed : of the order that `parts` divides: sha256 of "<seed> <id>", or of the group that stays together
    together : the field whose recordings stay in one part, such as "subject"; "" for none
    turn : the percent at which the first part begins; with parts of 20 %, turns of 0, 20, 40, 60, 80 are five folds
    id : how a sample is called, of the fields
    """

    pattern: str
    parts: list[tuple[str, int]]
    id: str
    seed: int = 0
    together: str = ""
    turn: int = 0
    first_class: int = 0

    def __post_init__(self) -> None:
        fields = check_pattern(self.pattern)
        check_parts(self.parts, self.turn)
        if self.together and self.together not in fields:
            raise BadSpec(f"together is {self.together!r}", allowed=", ".join(fields))

    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id. Raises BadDataset for a path of no class of the card."""
        refuse_other_splits((split for split, _ in self.parts), card.splits, "parts")
        matched = samples_of(self, card, root, "", self.pattern)
        ranked = [
            Ranked(sample.id, sample.label, fields.get(self.together, "")) for sample, fields in matched
        ]
        splits = splits_by_group(sorted(ranked), self.parts, self.seed, self.turn)
        return unique((sample._replace(split=splits[sample.id]) for sample, _ in matched), root)

    def tree(self) -> list[tuple[str, str]]:
        """One line."""
        return [(self.pattern.replace("{", "<").replace("}", ">"), "every recording; the split is by rank")]

    def rule(self) -> str:
        """The shares, and what stays together."""
        return rule_by_group(self.parts, self.seed, self.turn, self.together)
