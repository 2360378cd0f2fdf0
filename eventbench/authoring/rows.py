"""A folder of files that hold many recordings each, as SHD's: its files by split, and the classes that their labels are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from eventbench.authoring.names import SEPARATORS, split_named
from eventbench.authoring.structure import FIFTHS, HALVES, Structure
from eventbench.errors import BadDataset, BadRecording
from eventbench.layouts.rows import words_in
from eventbench.sources.base import Source

KEYS = "extra/keys"  # where such files have the word of each label


def rows_structure(root: Path, files: Sequence[str], source: Source) -> Structure:
    """The structure of these files, by their paths below `root`: a recording a row, its class in the file.

    Files are splits where the names say so, a split each; else rows are put into splits by a seed. Raises BadDataset for a
    file that does not say the class of its rows.
    """
    try:
        labels, rows = np.unique(
            np.concatenate([source.labels_in(root / file) for file in files]), return_counts=True
        )
        subjects = np.unique(np.concatenate([source.subjects_in(root / file) for file in files]))
    except BadRecording as error:
        fix = "each row needs a label in the file; or write each recording into a file of its own, a folder a class"
        raise error.as_kind(BadDataset, fix=fix) from None
    words = _words(root, files)
    known = words is not None and len(set(words)) == len(words) > int(labels.max())
    if not known and int(labels.min()) < 0:
        raise BadDataset(f"a label is {int(labels.min())}", where=root / files[0], allowed="0 and up")
    classes = list(words) if words and known else [str(label) for label in range(int(labels.max()) + 1)]
    by_split = _by_split(root, files)
    layout: dict[str, object] = {"name": "rows", "files": by_split or _by_stem(files)}
    layout |= {"keys": KEYS} if known else {}
    splits = sorted(by_split, key=["train", "validation", "test"].index) or ["train", "test"]
    structure = Structure(layout, classes, splits, int((subjects >= 0).sum()))
    structure.guesses["classes"] = f"the words in {KEYS}" if known else "numbers of labels: put words here"
    if by_split:
        structure.guesses["splits"] = "from the names of files"
    else:
        few = structure.subjects == 2 if structure.subjects > 1 else int(rows.min()) < 5
        parts = HALVES if few else FIFTHS
        layout |= {"parts": parts, "seed": 0}
        shares = " and ".join(str(share) for _, share in parts)
        whole = ", each subject whole in one of them" if structure.subjects else ""
        structure.guesses["splits"] = (
            f"none in the names of files: {shares} % of each class, by a seed{whole}"
        )
    if structure.subjects:
        structure.guesses["subject"] = f"{structure.subjects} in the files"
    return structure


def _words(root: Path, files: Sequence[str]) -> list[str] | None:
    """The words of the labels, where all files have the same."""
    try:
        words = [words_in(root / file, KEYS) for file in files]
    except BadRecording:
        return None
    return words[0] if all(other == words[0] for other in words) else None


def _by_split(root: Path, files: Sequence[str]) -> dict[str, str]:
    """Split -> file, where each name says a split and there are two at least; else empty. Raises BadDataset for two of one."""
    by_split: dict[str, str] = {}
    splits = [_split_of(PurePosixPath(file)) for file in files]
    if not all(splits) or len(set(splits)) < 2:
        return {}
    for file, split in zip(files, splits, strict=True):
        if split in by_split:
            raise BadDataset(
                f"split {split} has two files, {by_split[split]} and {file}",
                where=root,
                allowed="one file a split",
                fix="join them into one; or write each recording into a file of its own, a folder a class",
            )
        by_split[split] = file
    return by_split


def _split_of(path: PurePosixPath) -> str:
    names = [*path.parts[:-1], *SEPARATORS.split(path.stem)]
    return next((split for name in names if (split := split_named(name))), "")


def _by_stem(files: Sequence[str]) -> dict[str, str]:
    """File by its path without the ending."""
    return {str(PurePosixPath(file).with_suffix("")): file for file in files}
