"""What the names in a path say: which split, who is in it, which class; the fields of a pattern of paths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from eventbench.doctor.folder import SPLITS

SUBJECT = re.compile(
    r"(?:subject|subj|sub|user|person|participant|people|actor|signer|speaker|s|p)[-_]?\d+", re.IGNORECASE
)
SEPARATORS = re.compile(r"([-_. ]+)")
WORD_AND_NUMBER = re.compile(r"([A-Za-z]+)(\d+)")


class Field(NamedTuple):
    """A part of a pattern: its text, as "{class}" or "train", and its value in each path where it stands for one."""

    text: str
    values: list[str]


def split_named(name: str) -> str:
    """The split that a folder or word names, "train", "validation" or "test"; "" where it names none."""
    return SPLITS.get(name.lower(), "")


def folder_role(values: Sequence[str]) -> str:
    """What the folders of one level stand for: "split", "subject", "constant" or "class" (maybe)."""
    if len(set(values)) == 1:
        return "constant"
    if all(map(split_named, values)):
        return "split"
    if all(map(SUBJECT.fullmatch, values)):
        return "subject"
    return "class"


def class_level(levels: Sequence[Sequence[str]], roles: Sequence[str]) -> int | None:
    """Which level of folders is the class: the first whose names are words, else the first that is nothing else."""
    candidates = [number for number, role in enumerate(roles) if role == "class"]
    words = [
        number for number in candidates if not any(char.isdigit() for name in levels[number] for char in name)
    ]
    return next(iter(words or candidates), None)


def name_fields(
    stems: Sequence[str], *, class_wanted: bool, split_wanted: bool, other: str = "part"
) -> list[Field]:
    """The names of files without their endings as fields and what stands between them.

    Without anything to find, one field {take}. A field that is not found in every name is not there. Words that say nothing
    are fields {<other><number>} where they stand before one that does.
    """
    tokens = [SEPARATORS.split(stem) for stem in stems]
    shortest = min(map(len, tokens))
    fields: list[Field] = []
    for place in range(0, shortest, 2):
        column = [words[place] for words in tokens]
        if split_wanted and all(map(split_named, column)) and len(set(column)) > 1:
            fields.append(Field("{split}", column))
        elif all(map(SUBJECT.fullmatch, column)) and len(set(column)) > 1:
            fields.append(Field("{subject}", column))
        elif class_wanted and (classes := _classes(tokens, place)):
            fields.append(Field("{class}", classes))
            return [*_separated(fields, tokens), *_after_class(tokens, place, classes, split_wanted)]
        else:
            fields.append(Field(f"{{{other}{place // 2}}}", column))
    longer = next((words[shortest] for words in tokens if len(words) > shortest), "")
    return _trimmed(_separated(fields, tokens), longer)


def _classes(tokens: list[list[str]], place: int) -> list[str]:
    """The class of each name where its words from `place` on are letters; empty where one name has none."""
    classes = []
    for words in tokens:
        run: list[str] = []
        for k in range(place, len(words), 2):
            joined = WORD_AND_NUMBER.fullmatch(words[k])
            if words[k].isalpha() and not split_named(words[k]):
                run += [words[k - 1], words[k]] if run else [words[k]]
            elif joined and not run and not SUBJECT.fullmatch(words[k]):
                run.append(joined[1])
                break
            else:
                break
        if not run:
            return []
        classes.append("".join(run))
    return classes if 1 < len(set(classes)) < len(classes) else []


def _after_class(tokens: list[list[str]], place: int, classes: list[str], split_wanted: bool) -> list[Field]:
    """What follows the class in the names: who is in it where it says so, and the rest."""
    rests = ["".join(words[place:])[len(name) :] for words, name in zip(tokens, classes, strict=True)]
    if not any(rests):
        return []
    separators = {match[0] if (match := SEPARATORS.match(rest)) else "" for rest in rests}
    separator = separators.pop() if len(separators) == 1 else ""
    bare = [rest[len(separator) :] for rest in rests]
    if not all(bare):
        return [Field("{take}", rests)]
    after = name_fields(bare, class_wanted=False, split_wanted=split_wanted, other="more")
    return [Field(separator, []), *after]


def _separated(fields: list[Field], tokens: list[list[str]]) -> list[Field]:
    """The fields with what stands between them in the first name."""
    separated: list[Field] = []
    for number, field in enumerate(fields):
        separated += [Field(tokens[0][2 * number - 1], [])] if number else []
        separated.append(field)
    return separated


def _trimmed(fields: list[Field], longer: str) -> list[Field]:
    """Fields after the last one that says anything become one, {take}; `longer` separates them from more in some names."""
    telling = [number for number, field in enumerate(fields) if field.text in ("{split}", "{subject}")]
    keep = telling[-1] + 1 if telling else 0
    if keep == len(fields) and not longer:
        return fields
    separator = fields[keep : keep + 1] or [Field(longer, [])]
    return [*fields[:keep], *(separator if keep else []), Field("{take}", [])]


def pattern_text(folders: Sequence[str], name: Sequence[Field], ending: str) -> str:
    """The pattern of a path."""
    return "/".join([*folders, "".join(field.text for field in name) + ending])


def natural(name: str) -> tuple[int, str]:
    """A key that sorts numbers by value and names as text."""
    return (int(name), name) if name.isdecimal() else (-1, name)


def parts_of(path: str) -> tuple[tuple[str, ...], str, str]:
    """The folders of a path, the file's name without its ending, and that ending."""
    pure = PurePosixPath(path)
    return pure.parts[:-1], pure.stem, pure.suffix
