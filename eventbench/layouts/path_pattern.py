"""Everything is in the path: a pattern a split, in which {class} or {number} is the label and {subject} who is in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from eventbench.errors import BadDataset, BadSpec
from eventbench.layouts._listing import named, refuse_other_splits, unique
from eventbench.layouts.base import PUBLISHERS_SPLIT, Layout
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card

_FIELD = re.compile(r"\{(\w+)\}")


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
            fields = _FIELD.findall(pattern)
            if len({"class", "number"} & set(fields)) != 1 or len(set(fields)) != len(fields):
                raise BadSpec(
                    f"a pattern is {pattern!r}", allowed="each field once, and one of {class} and {number}"
                )

    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id. Raises BadDataset for a path of no class of the card."""
        refuse_other_splits(self.patterns, card.splits, "patterns")
        samples: list[Sample] = []
        for split, pattern in self.patterns.items():
            expression = re.compile(_expression(pattern))
            for path in root.glob(_FIELD.sub("*", pattern)):
                matched = expression.fullmatch(path.relative_to(root).as_posix())
                if matched is None:
                    continue
                fields = matched.groupdict()
                id = named(self.id, {"split": split, **fields})
                label = self._label(card, fields, path)
                samples.append(Sample(id, split, label, fields.get("subject", ""), path))
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

    def _label(self, card: Card, fields: dict[str, str], path: Path) -> int:
        if "class" in fields:
            if fields["class"] in card.classes:
                return card.classes.index(fields["class"])
            raise BadDataset(f"no class {fields['class']!r}", where=path, allowed=", ".join(card.classes))
        number = fields["number"]
        label = int(number) - self.first_class if number.isdecimal() else -1
        if 0 <= label < len(card.classes):
            return label
        last = self.first_class + len(card.classes) - 1
        raise BadDataset(f"no class number {number!r}", where=path, allowed=f"{self.first_class} to {last}")


def _expression(pattern: str) -> str:
    parts = _FIELD.split(pattern)  # literal, field, literal, ...
    return "".join(f"(?P<{part}>[^/]+?)" if k % 2 else re.escape(part) for k, part in enumerate(parts))
