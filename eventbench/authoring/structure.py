"""How a folder of recordings is laid out: its classes, splits and subjects, as the paths say, and the layout of a card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eventbench.authoring.names import (
    Field,
    class_level,
    folder_role,
    name_fields,
    natural,
    parts_of,
    pattern_text,
    split_named,
)
from eventbench.errors import BadDataset

Parts = tuple[tuple[str, ...], str, str]  # folders, name, ending
HALVES, FIFTHS = [["train", 50], ["test", 50]], [["train", 80], ["test", 20]]


@dataclass
class Structure:
    """What paths say. `guesses` has a sentence for each thing that was not said outright, by the key of the card."""

    layout: dict[str, Any]
    classes: list[str]
    splits: list[str]
    subjects: int = 0
    guesses: dict[str, str] = field(default_factory=dict)


def structure_of(paths: Sequence[str], where: object) -> Structure:
    """The structure of recordings at these paths, below their folder, all of one ending.

    Where some lie deeper than most, only most are looked at. Raises BadDataset where no class is found.
    """
    depth = Counter(len(parts_of(path)[0]) for path in paths).most_common(1)[0][0]
    split_paths = _in_splits([parts for path in paths if len((parts := parts_of(path))[0]) == depth], depth)
    ending = split_paths[0][2]
    levels = [[parts[0][number] for parts in split_paths] for number in range(depth)]
    roles = [folder_role(level) for level in levels]
    at = class_level(levels, roles)
    stems = [parts[1] for parts in split_paths]
    name = name_fields(stems, class_wanted=at is None, split_wanted="split" not in roles)
    in_name = {part.text: part.values for part in name if part.values}
    if at is None and "{class}" not in in_name and "subject" in roles:
        at = roles.index("subject")  # folders such as s1 and s2 that are classes: there are no others
        roles[at] = "class"
    classes = levels[at] if at is not None else in_name.get("{class}", [])
    if len(set(classes)) < 2:
        raise BadDataset(
            "no classes are found in the names of folders or files",
            where=where,
            allowed="a folder a class, or names such as cat_01.npz, or a table labels.csv of path, label, split, subject",
        )
    people = levels[roles.index("subject")] if "subject" in roles else in_name.get("{subject}", [])
    splits = _splits(levels, roles, in_name)
    structure = Structure({}, sorted(set(classes), key=natural), splits, len(set(people)))
    structure.guesses["classes"] = "from the names of " + ("folders" if at is not None else "files")
    folders = _folder_fields(levels, roles, at, structure)
    if people and len(set(people)) > 1:
        structure.guesses["subject"] = f"{len(set(people))} subjects, from the names"
    if splits:
        structure.guesses["splits"] = "from the names of " + ("folders" if "split" in roles else "files")
        structure.layout = _published(folders, name, ending, levels, roles, in_name, splits)
    else:
        structure.splits = ["train", "test"]
        structure.layout = _ranked(folders, name, ending, people, min(Counter(classes).values()))
        whole = ", each subject whole in one of them" if "together" in structure.layout else ""
        train, test = (share for _, share in structure.layout["parts"])
        structure.guesses["splits"] = (
            f"none in the paths: {train} and {test} % of each class, by a seed{whole}"
        )
    return structure


def _in_splits(split_paths: list[Parts], depth: int) -> list[Parts]:
    """The paths in folders of splits, where most are in such folders; else all."""
    for number in range(depth):
        inside = [parts for parts in split_paths if split_named(parts[0][number])]
        if len({parts[0][number] for parts in inside}) > 1 and 2 * len(inside) > len(split_paths):
            return inside
    return split_paths


def _splits(levels: list[list[str]], roles: list[str], in_name: dict[str, list[str]]) -> list[str]:
    words = levels[roles.index("split")] if "split" in roles else in_name.get("{split}", [])
    named = {split_named(word) for word in words}
    return [split for split in ("train", "validation", "test") if split in named]


def _folder_fields(
    levels: list[list[str]], roles: list[str], at: int | None, structure: Structure
) -> list[str]:
    """The folders of a pattern, level by level."""
    texts = []
    for number, role in enumerate(roles):
        if number == at:
            texts.append("{class}")
        elif role == "constant":
            texts.append(levels[number][0])
        elif role in ("split", "subject"):
            first = roles.index(role) == number
            texts.append(f"{{{role}}}" if first else f"{{folder{number}}}")
        else:
            texts.append(f"{{folder{number}}}")
            shown = ", ".join(sorted(set(levels[number]))[:3])
            structure.guesses["folders"] = f"folders such as {shown} are no classes"
    return texts


def _published(
    folders: list[str],
    name: list[Field],
    ending: str,
    levels: list[list[str]],
    roles: list[str],
    in_name: dict[str, list[str]],
    splits: list[str],
) -> dict[str, Any]:
    """The layout of a folder whose paths say the split."""
    pattern = pattern_text(folders, name, ending)
    if "split" in roles:
        level = levels[roles.index("split")]
        words = {split_named(word): word for word in level}
    else:
        words = {split_named(word): word for word in in_name["{split}"]}
    if folders == ["{split}", "{class}"] and [part.text for part in name] == ["{take}"]:
        return {
            "name": "class_folders",
            "folders": {split: words[split] for split in splits},
            "suffix": ending,
            "id": "{split}/{class}/{stem}",
        }
    return {
        "name": "path_pattern",
        "patterns": {split: pattern.replace("{split}", words[split]) for split in splits},
        "id": pattern.removesuffix(ending),
    }


def _ranked(
    folders: list[str], name: list[Field], ending: str, people: list[str], smallest: int
) -> dict[str, Any]:
    """The layout of a folder whose paths say no split; `smallest` is how many recordings the smallest class has."""
    subjects = len(set(people))
    few = subjects == 2 if subjects > 1 else smallest < 5  # a fifth of so few is none
    parts = HALVES if few else FIFTHS
    if folders == ["{class}"] and [part.text for part in name] == ["{take}"]:
        return {
            "name": "split_by_rank",
            "parts": parts,
            "suffix": ending,
            "order": "sha256",
            "seed": 0,
            "id": "{class}/{stem}",
        }
    pattern = pattern_text(folders, name, ending)
    together = {"together": "subject"} if subjects > 1 else {}
    return {
        "name": "pattern_by_rank",
        "pattern": pattern,
        "parts": parts,
        **together,
        "seed": 0,
        "id": pattern.removesuffix(ending),
    }
