"""One folder a split, in it one folder a class, in it one file a sample: `Train/5/00001.bin`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from eventbench.errors import BadDataset, BadSpec
from eventbench.layouts.base import Layout
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card


class ClassFolders(Layout, frozen=True, forbid_unknown_fields=True):
    """`folders` gives each split's folder; a class's folder is named as the card names the class.

    `id` is how a sample is called, of {split}, {class} and {stem} (the file's name without its ending).
    """

    folders: dict[str, str]
    suffix: str
    id: str = "{split}/{stem}"

    def samples(self, card: Card, root: Path) -> list[Sample]:
        found: dict[str, Sample] = {}
        if unpinned := sorted(self.folders.keys() - card.splits.keys()):
            raise BadSpec(
                f"folders name {unpinned[0]!r}",
                where="[layout]",
                allowed=f"the card's splits: {', '.join(card.splits)}",
            )
        for split, folder in self.folders.items():
            for label, name in enumerate(card.classes):
                for path, stem in _files(root / folder / name, self.suffix):
                    try:
                        called = self.id.format_map({"split": split, "class": name, "stem": stem})
                    except (KeyError, ValueError, AttributeError, IndexError):
                        allowed = "a name with {split}, {class} and {stem}"
                        raise BadSpec(f"id is {self.id!r}", where="[layout]", allowed=allowed) from None
                    if called in found:
                        raise BadDataset(
                            f"two files are sample {called}: {found[called].recording} and {path}",
                            where=root,
                            fix="take one of them away",
                        )
                    found[called] = Sample(called, split, label, "", path)
        return [found[called] for called in sorted(found)]


def _files(folder: Path, suffix: str) -> list[tuple[str, str]]:
    """The paths of a folder's files with this ending, and their names without it; none where there is no such folder."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  # text: a Path for each file takes longer than to decode a short one
    except OSError:
        return []
    place = os.path.join(folder, "")  # noqa: PTH118
    return [(place + name, os.path.splitext(name)[0]) for name in names if name.endswith(suffix)]  # noqa: PTH122
