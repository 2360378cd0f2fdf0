"""Patterns of paths, as "{subject}/{class}_{take}.npz": what they match, and the sample each match is."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from eventbench.errors import BadDataset, BadSpec
from eventbench.layouts._listing import sample_id
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card

FIELD = re.compile(r"\{(\w+)\}")


class PatternedLayout(Protocol):
    """What a layout by patterns says beside them."""

    @property
    def id(self) -> str:
        """How a sample is called, of {split} and the fields."""

    @property
    def first_class(self) -> int:
        """The number of the card's first class."""

    def skips(self, path: str) -> bool:
        """Whether a file, by its path below the data set's folder, is left out."""


def check_pattern(pattern: str) -> list[str]:
    """The fields of a pattern. Raises BadSpec where one is there twice, or not exactly one says the class."""
    fields = FIELD.findall(pattern)
    if len({"class", "number"} & set(fields)) != 1 or len(set(fields)) != len(fields):
        raise BadSpec(f"a pattern is {pattern!r}", allowed="each field once, and one of {class} and {number}")
    return fields


def samples_of(
    layout: PatternedLayout, card: Card, root: Path, split: str, pattern: str
) -> list[tuple[Sample, dict[str, str]]]:
    """The samples of the paths that match a pattern, each with its fields. Raises BadDataset for one of no class."""
    expression = re.compile(path_expression(pattern, card.classes))
    matched_samples = []
    parts = FIELD.split(pattern)  # literal, field, literal, ...
    wild = "".join("*" if k % 2 else glob.escape(part) for k, part in enumerate(parts))
    for path in root.glob(re.sub(r"\*+", "*", wild)):
        below = path.relative_to(root).as_posix()
        matched = expression.fullmatch(below)
        if matched is None or layout.skips(below):
            continue
        fields = matched.groupdict()
        id = sample_id(layout.id, {"split": split, **fields})
        label = _label(layout.first_class, card, fields, path)
        matched_samples.append((Sample(id, split, label, fields.get("subject", ""), path), fields))
    return matched_samples


def path_expression(pattern: str, classes: list[str]) -> str:
    """The regular expression of a pattern: a class is one of the card's where it can be, another field as short as it can be."""
    known = "|".join(re.escape(name) for name in sorted(classes, key=len, reverse=True))
    parts = FIELD.split(pattern)  # literal, field, literal, ...
    return "".join(
        re.escape(part)
        if k % 2 == 0
        else f"(?P<class>{known}|[^/]+?)"
        if part == "class"
        else f"(?P<{part}>[^/]+?)"
        for k, part in enumerate(parts)
    )


def _label(first_class: int, card: Card, fields: dict[str, str], path: Path) -> int:
    if "class" in fields:
        if fields["class"] in card.classes:
            return card.classes.index(fields["class"])
        raise BadDataset(f"no class {fields['class']!r}", where=path, allowed=", ".join(card.classes))
    number = fields["number"]
    label = int(number) - first_class if number.isdecimal() else -1
    if 0 <= label < len(card.classes):
        return label
    last = first_class + len(card.classes) - 1
    raise BadDataset(f"no class number {number!r}", where=path, allowed=f"{first_class} to {last}")
