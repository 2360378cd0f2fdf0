"""What layouts have in common: files in an order no file system decides, names by a form, text read line by line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from eventbench.errors import BadDataset, BadSpec
from eventbench.specs.sample import Sample


def files_of(folder: Path, suffix: str, root: Path, skips: Callable[[str], bool]) -> list[Path]:
    """The files in `folder` that end in `suffix`, sorted by name as text; those that `skips` names below `root` left out."""
    paths = [path for path in folder.glob(f"*{suffix}") if not skips(path.relative_to(root).as_posix())]
    return sorted(paths, key=lambda path: path.name)


def named(form: str, values: Mapping[str, object]) -> str:
    """`form` filled in, as "{class}/{stem}". Raises BadSpec where it asks for what there is not."""
    try:
        return form.format_map(values)
    except (KeyError, ValueError, AttributeError, IndexError):
        allowed = "a name with " + ", ".join(f"{{{key}}}" for key in values)
        raise BadSpec(f"id is {form!r}", where="[layout]", allowed=allowed) from None


def sample_id(form: str, values: Mapping[str, object]) -> str:
    """As `named`, and text on every system: a byte of a file's name that is no UTF-8 becomes four characters, as `\\xe9`."""
    text = named(form, values)
    return text if text.isascii() else os.fsencode(text).decode("utf-8", "backslashreplace")


def compiled(expression: str, key: str) -> re.Pattern[str]:
    """A regular expression with one group, or none at all. Raises BadSpec for any other."""
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise BadSpec(f"{key} is {expression!r}: {error}", allowed="a regular expression") from None
    if expression and pattern.groups != 1:
        raise BadSpec(f"{key} is {expression!r}", allowed="a regular expression with one group")
    return pattern


def subject_of(stem: str, pattern: re.Pattern[str], where: Path) -> str:
    """Who is in a recording, by its name. Raises BadDataset where the name does not say."""
    if not pattern.pattern:
        return ""
    match = pattern.match(stem)
    if not match:
        raise BadDataset(f"the name does not say who is in it: no {pattern.pattern!r}", where=where)
    return match[1]


def refuse_other_splits(names: Iterable[str], splits: Iterable[str], key: str) -> None:
    """Raises BadSpec where a layout names a split that its card does not have."""
    if unpinned := sorted(set(names) - set(splits)):
        raise BadSpec(
            f"{key} name {unpinned[0]!r}", where="[layout]", allowed=f"the card's splits: {', '.join(splits)}"
        )


def unique(samples: Iterable[Sample], root: Path) -> list[Sample]:
    """Samples sorted by id. Raises BadDataset where two have the same."""
    by_id: dict[str, Sample] = {}
    for sample in samples:
        if sample.id in by_id:
            raise BadDataset(
                f"two files are sample {sample.id}: {by_id[sample.id].recording} and {sample.recording}",
                where=root,
                fix="take one of them away",
            )
        by_id[sample.id] = sample
    return [by_id[id] for id in sorted(by_id)]


def lines_of(path: Path, fix: str) -> list[str]:
    """The lines of a text file. Raises BadDataset where there is none, or it is no text."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise BadDataset(f"cannot be read: {error.strerror}", where=path, fix=fix) from None
    except UnicodeDecodeError:
        raise BadDataset("is no text in UTF-8", where=path, fix=fix) from None
