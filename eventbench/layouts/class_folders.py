"""One folder a split, in it one folder a class, in it one file a sample: `Train/5/00001.bin`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from eventbench.layouts._listing import refuse_other_splits, sample_id, unique
from eventbench.layouts.base import PUBLISHERS_SPLIT, Layout
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card


class ClassFolders(Layout, frozen=True, forbid_unknown_fields=True):
    """`folders` gives each split's folder; a class's folder is named as the card names the class.

    `id` is how a sample is called, of {split}, {class} and {stem} (the file's name without its ending). Without it, it is
    {split}/{stem}; where files of two classes of a split have one name and the card pins no ids, {split}/{class}/{stem}.
    """

    folders: dict[str, str]
    suffix: str
    id: str = ""

    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id. Raises BadDataset where two files are the same sample."""
        refuse_other_splits(self.folders, card.splits, "folders")
        files = [
            (split, label, path, stem)
            for split, folder in self.folders.items()
            for label, name in enumerate(card.classes)
            for path, stem in self._files(root, f"{folder}/{name}")
        ]
        form = self.id
        if not form:
            pinned = any(pins.ids or pins.numbered for pins in card.splits.values())
            distinct = pinned or len({(split, stem) for split, _, _, stem in files}) == len(files)
            form = "{split}/{stem}" if distinct else "{split}/{class}/{stem}"
        samples = [
            Sample(
                sample_id(form, {"split": split, "class": card.classes[label], "stem": stem}),
                split,
                label,
                "",
                path,
            )
            for split, label, path, stem in files
        ]
        return unique(samples, root)

    def tree(self) -> list[tuple[str, str]]:
        """A line a split."""
        return [
            (f"{folder}/<class>/*{self.suffix}", f"split {split}") for split, folder in self.folders.items()
        ]

    def rule(self) -> str:
        """The publisher's."""
        return PUBLISHERS_SPLIT

    def _files(self, root: Path, folder: str) -> list[tuple[str, str]]:
        """The paths of a folder's files with this ending, and their names without it; none where there is no such folder."""
        try:
            names = os.listdir(root / folder)  # noqa: PTH208  # text: a Path for each file takes longer than to decode a short one
        except OSError:
            return []
        prefix = os.path.join(root / folder, "")  # noqa: PTH118
        return [
            (prefix + name, os.path.splitext(name)[0])  # noqa: PTH122
            for name in names
            if name.endswith(self.suffix) and not self.skips(f"{folder}/{name}")
        ]
